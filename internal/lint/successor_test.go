package lint

import (
	"strings"
	"testing"
)

// successorMutations are faults of the second mail, the cancellation. Those
// that name the request as base have an update as second mail.
var successorMutations = []mutation{
	{"U1", "good-cancel", "UID:0b", "UID:1b", bad},
	{"U1", "good-cancel", "mailto:booking@", "mailto:desk@", bad},
	{"U1", "good-cancel", "DTSTAMP:20270302", "DTSTAMP:20270228", bad},
	{"U2", "good-cancel", "METHOD:CANCEL", "METHOD:PUBLISH", bad},
	{"U2", "good-cancel", "DTEND:20270305T100000Z", "DTEND:20270305T110000Z", meh},
	{"U4", "good-cancel", "SEQUENCE:1", "SEQUENCE:0", bad},
	{"C5", "good-request", "CLASS:PUBLIC", "CLASS:PRIVATE", bad},
}

// swap puts another object into a good mail and gives the mail a new identity.
func swap(t *testing.T, base, old, new string) string {
	t.Helper()
	ics := read(t, base+".ics")
	mail := strings.ReplaceAll(read(t, base+".eml"), wrapped(ics), wrapped(apply(t, ics, old, new)))
	return strings.Replace(mail, "Message-ID: <", "Message-ID: <new-", 1)
}

func TestSuccessorMutations(t *testing.T) {
	for _, m := range successorMutations {
		t.Run(label(m), func(t *testing.T) {
			f := Successor([]byte(read(t, "good-request.eml")), []byte(swap(t, m.base, m.old, m.new)))
			expect(t, f, m.rule, m.sev)
		})
	}
}

func TestUpdateMayFollow(t *testing.T) {
	next := swap(t, "good-request", "SEQUENCE:0", "SEQUENCE:1")
	if f := Successor([]byte(read(t, "good-request.eml")), []byte(next)); f != nil {
		t.Error(f)
	}
}

func TestNothingFollowsACancellation(t *testing.T) {
	next := swap(t, "good-request", "SEQUENCE:0", "SEQUENCE:2")
	f := Successor([]byte(read(t, "good-cancel.eml")), []byte(next))
	var rules []string
	for _, one := range f {
		rules = append(rules, one.Rule)
	}
	if got := strings.Join(rules, " "); got != "U1 U2" {
		t.Errorf("got %v, want the older DTSTAMP and the method", f)
	}
}

func TestTheMailMustBeANewOneToTheSameReader(t *testing.T) {
	first := read(t, "good-request.eml")
	second := swap(t, "good-request", "SEQUENCE:0", "SEQUENCE:1")
	same := strings.Replace(second, "<new-", "<", 1)
	expect(t, Successor([]byte(first), []byte(same)), "U1", bad)
	other := strings.Replace(second, "<zoe@", "<host@", 1)
	expect(t, Successor([]byte(first), []byte(other)), "U1", bad)
	expect(t, Successor([]byte(first), []byte("Subject: x\r\n\r\nx")), "U1", bad)
}
