package booking

import (
	"slices"
	"strings"
	"testing"
)

func TestParseAction(t *testing.T) {
	words := map[Action]string{
		ActionCreate: "create created new book booked confirm confirmed schedule scheduled send",
		ActionUpdate: "update updated reschedule rescheduled change changed modify modified move moved edit edited put patch",
		ActionCancel: "cancel cancelled canceled delete deleted remove removed decline declined reject rejected",
		ActionSkip:   "skip ignore",
	}
	for want, list := range words {
		for word := range strings.FieldsSeq(list) {
			title := strings.ToUpper(word[:1]) + word[1:]
			for _, s := range []string{
				word, title, strings.ToUpper(word), " " + word + "! ", "booking." + word, "BOOKING_" + strings.ToUpper(word),
				"booking" + title, "invitee-" + word + ".2", "cancel:" + word, "XML" + title, "event" + strings.ToUpper(word), "é/" + word,
			} {
				if got, err := ParseAction(s); got != want || err != nil {
					t.Errorf("ParseAction(%q) = %q, %v, want %q", s, got, err, want)
				}
			}
		}
	}
	for _, s := range []string{
		"", " ", "42", "booking", "cancelable", "cancel_form", "bookingcancelled", "canceled by", "create\u0301d", "c", "CREATEd",
		"\xff", strings.Repeat("x", maxAction) + ".created",
	} {
		if got, err := ParseAction(s); got != ActionNone || err == nil || err.Error() != "is not an action" {
			t.Errorf("ParseAction(%q) = %q, %v, want an error", s, got, err)
		}
	}
}

func TestDecodeAction(t *testing.T) {
	rules := withFields(t, testRules(t), "action type")
	for _, tt := range []struct {
		in   any
		want Action
	}{{nil, ActionNone}, {"", ActionNone}, {"BOOKING_CREATED", ActionCreate}, {"event.updated", ActionUpdate}} {
		if b := decodeJSON(t, good(fields{"type": tt.in, "action": "cancel"}), rules); b.Action != tt.want || b.Has(PropAction) != (tt.want != ActionNone) {
			t.Errorf("%v: got %q, want %q", tt.in, b.Action, tt.want)
		}
	}
	for in, want := range map[any]string{"ping": "type: is not an action", 5: "type: is not an action", true: "type: " + problemBool} {
		if got := refusals(t, good(fields{"type": in}), rules); !slices.Equal(got, []string{want}) {
			t.Errorf("%v: got %q, want %q", in, got, want)
		}
	}
	if b := decodeJSON(t, good(fields{"action": "cancel"}), testRules(t)); b.Action != ActionNone {
		t.Errorf("an action that is not mapped became %q", b.Action)
	}
}

// TestDecodeSkip wants nothing of what is skipped, so nothing in it is wrong.
func TestDecodeSkip(t *testing.T) {
	rules := withFields(t, testRules(t), "action type")
	b := decodeJSON(t, fields{"type": "skip", "email": []any{}, "start": "never", "description": "x"}, rules)
	want := Booking{Action: ActionSkip, Zone: rules.Zone, Given: setOf(PropAction)}
	if mustJSON(t, b) != mustJSON(t, &want) {
		t.Errorf("got %s", mustJSON(t, b))
	}
	if b = decodeJSON(t, fields{"action": "skip"}, withFields(t, &Rules{}, "action action")); b.Zone == nil {
		t.Error("the zone is nil")
	}
}
