package caddyicalmail

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// controlHeader is the header by which a back end steers what is sent, and the
// prefix of those that set properties.
const controlHeader = "Ical-Invite"

// controlProperties are the headers that set properties, by what follows the
// prefix.
var controlProperties = map[string]booking.Property{
	"Id":       booking.PropID,
	"Start":    booking.PropStart,
	"End":      booking.PropEnd,
	"Summary":  booking.PropSummary,
	"Location": booking.PropLocation,
	"Name":     booking.PropName,
	"Email":    booking.PropEmail,
	"Timezone": booking.PropTimezone,
	"Host":     booking.PropHost,
}

// errControl is a control header that makes no sense. Nothing is guessed then.
var errControl = errors.New("a control header of the back end is wrong")

// control is what a back end said by headers.
type control struct {
	action booking.Action
	steer  map[booking.Property]string
	err    error
}

// takeControl reads the control headers of an answer and removes them: they
// are between the back end and us.
func takeControl(header http.Header) *control {
	c := new(control)
	for name, values := range header {
		suffix, ours := controlSuffix(name)
		if !ours {
			continue
		}
		c.take(suffix, values)
		delete(header, name)
	}
	return c
}

// controlSuffix returns what follows the prefix of a control header.
func controlSuffix(name string) (string, bool) {
	name = http.CanonicalHeaderKey(name)
	if name == controlHeader {
		return "", true
	}
	return strings.CutPrefix(name, controlHeader+"-")
}

func (c *control) take(suffix string, values []string) {
	if len(values) != 1 {
		c.err = fmt.Errorf("%w: %s was sent more than once", errControl, headerName(suffix))
		return
	}
	if suffix == "" {
		action, err := booking.ParseAction(values[0])
		if err != nil {
			c.err = fmt.Errorf("%w: %s %w", errControl, controlHeader, err)
		}
		c.action = action
		return
	}
	property, ok := controlProperties[suffix]
	if !ok {
		if "Ical-Invite-"+suffix != statusHeader {
			c.err = fmt.Errorf("%w: %s is not known", errControl, headerName(suffix))
		}
		return
	}
	if c.steer == nil {
		c.steer = make(map[booking.Property]string)
	}
	c.steer[property] = values[0]
}

// steering is what the back end said about the booking. That something is to
// be deleted is said by the method already.
func (c *control) steering(method string) map[booking.Property]string {
	action := c.action
	if action == booking.ActionNone && method == http.MethodDelete {
		action = booking.ActionCancel
	}
	if action == booking.ActionNone {
		return c.steer
	}
	steer := map[booking.Property]string{booking.PropAction: string(action)}
	maps.Copy(steer, c.steer)
	return steer
}

// headerName is a control header for a message: known ones by name, others
// shortened.
func headerName(suffix string) string {
	if suffix == "" {
		return controlHeader
	}
	return string(truncate(booking.CleanLine(controlHeader+"-"+suffix), 40))
}

// stripControl removes control headers from a request, so that a client can
// neither steer us nor confuse a back end that echoes headers.
func stripControl(header http.Header) {
	for name := range header {
		if _, ours := controlSuffix(name); ours {
			delete(header, name)
		}
	}
}
