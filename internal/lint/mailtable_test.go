package lint

import (
	"slices"
	"strings"
	"testing"
)

const (
	request = "good-request.eml"
	cancel  = "good-cancel.eml"
)

// mailMutations are faults of the mail around the calendar object.
var mailMutations = []mutation{
	{"M1", request, "multipart/alternative", "multipart/related", bad},
	{"M1", request, "--outer--\r\n", "", bad},
	{"M1", request, "multipart/mixed", "multipart/related", meh},
	{"M2", request, " method=REQUEST;", "", bad},
	{"M2", request, "method=REQUEST", "method=CANCEL", bad},
	{"M2", request, "method=REQUEST", "method=request", meh},
	{"M2", request, "method=REQUEST; charset=UTF-8", "method=REQUEST", bad},
	{"M2", cancel, "method=CANCEL", "method=REQUEST", bad},
	{"M3", request, "method=REQUEST; charset=UTF-8", "method=REQUEST; charset=UTF-8\r\nContent-Disposition: attachment", bad},
	{"M4", request, `filename="invite.ics"`, `filename="Meeting.ics"`, meh},
	{"M4", request, `; name="invite.ics"`, ``, meh},
	{"M4", request, `Content-Disposition: attachment; filename="invite.ics"`, `Content-Disposition: inline; filename="invite.ics"`, meh},
	{"M4", request, "application/ics", "text/calendar", meh},
	{"M4", request, "--outer\r\nContent-Type: application/ics", "--outer\r\nContent-Type: application/ics; name=\"invite.ics\"\r\nContent-Disposition: attachment; filename=\"invite.ics\"\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--outer--\r\nX: ", bad},
	{"M5", request, "--outer--\r\n", "--outer\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--outer--\r\n", bad},
	{"M5", request, "--outer--\r\n", "--outer\r\nContent-Type: text/plain\r\n\r\nThis list is at 10:30.\r\n--outer--\r\n", bad},
	{"M6", request, "10:30 to 11:00", "half past ten", meh},
	{"M6", request, "text/plain; charset=UTF-8", "text/plain; charset=iso-8859-1", bad},
	{"M6", request, "Zo=C3=AB meets", "Zo=EB meets", bad},
	{"M7", request, "\r\n--inner--", "!\r\n--inner--", bad},
	{"M7", request, "Zo=C3=AB meets", "Zo=c3=AB meets", bad},
	{"M7", request, "Zo=C3=AB meets", "Zoë meets", bad},
	{"M7", request, "Answer this mail.", "Answer this mail. " + strings.Repeat("x", 70), bad},
	{"M7", request, "boundary=\"inner\"\r\n", "boundary=\"inner\"\r\nContent-Transfer-Encoding: base64\r\n", bad},
	{"M9", request, "Questions?", strings.Repeat("Questions?\r\n", 10_000), meh},
	{"M9", request, "<body>", "<body><img src=3D\"https://example.com/p.gif\">", meh},
	{"M9", request, "<body>", "<body background=3D//example.com/p.gif>", meh},
	{"M9", request, "color:#333", "background:url('http://x.example/p')", meh},
	{"M9", request, "<body>", "<body><script>alert(1)</script>", bad},
	{"M9", request, "<body>", "<body onload=3D'x()'>", bad},
	{"M9", request, "https://example.com/map", " java&#115;cript:x", bad},

	{"H1", request, "Date: Mon", "X-Date: Mon", bad},
	{"H1", request, "Date: Mon, 01 Mar", "Date: Mon, 41 Mar", bad},
	{"H1", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nMIME-Version: 1.0\r\n", bad},
	{"H1", request, "MIME-Version: 1.0\r\n", "MIME-Version: 2.0\r\n", bad},
	{"H1", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nCc: <x@example.org>\r\n", bad},
	{"H1", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nBcc: <x@example.org>\r\n", bad},
	{"H1", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nBad Name: x\r\n", bad},
	{"H1", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nno field at all\r\n", bad},
	{"H1", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nReply-To: x@example.org\r\n", bad},
	{"H1", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nX-Long: " + strings.Repeat("\r\n x", 600) + "\r\n", bad},
	{"H1", request, "<booking@example.com>", "<booking@example.com>, <b@example.com>", bad},
	{"H2", request, "<booking@example.com>", "<other@example.com>", bad},
	{"H4", request, "O'Neil?= <zoe@client.example>", "O'Neil?= <zoe@client.example>, <h@example.org>", bad},
	{"H4", request, "O'Neil?= <zoe@client.example>", "O'Neil?= zoe", bad},
	{"H5", request, "6e6a3c@example.com>", "6e6a3c@vm>", bad},
	{"H5", request, "6e6a3c@example.com>", "6e6a3c>", bad},
	{"H5", request, "r0-0b0c", "r0..0b0c", bad},
	{"H5", request, "r0-0b0c", "r0-0b0c" + strings.Repeat("1", 34), meh},
	{"H5", request, "6e6a3c@example.com>", "6e6a3c@example.org>", meh},
	{"H6", request, "Auto-Submitted: auto-generated\r\n", "", meh},
	{"H6", request, "auto-generated", "no", meh},
	{"H6", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nPrecedence: bulk\r\n", meh},
	{"H6", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nList-Unsubscribe: <https://example.com/u>\r\n", meh},
	{"H7", request, "\r\n", "\n", bad},
	{"H7", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nX-A: b\rc\r\n", bad},
	{"H7", request, "Content-Transfer-Encoding: base64\r\n\r\n", "X-Nul: \x00\r\nContent-Transfer-Encoding: base64\r\n\r\n", bad},
	{"H7", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "für Zoë", bad},
	{"H7", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "\r\n =?utf-8?q?" + strings.Repeat("a", 70) + "?=", bad},
	{"H7", request, "Subject: Consultation", "Subject: Consultation on that long " + strings.Repeat("day ", 5), bad},
	{"H7", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "x=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", bad},
	{"H7", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "=?utf-8?q?f=C3?= =?utf-8?q?=BCr?=", bad},
	{"H7", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "=?x-unknown?q?abc?=", bad},
	{"H7", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", strings.Repeat("word ", 20), meh},
	{"H7", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", strings.Repeat("word ", 200), bad},
	{"H7", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "for\r\n \r\n Zoe", bad},
	{"H7", request, "--outer\r\nContent-Type: multipart", strings.Repeat("x", 999) + "\r\n--outer\r\nContent-Type: multipart", bad},
	{"H8", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "=?utf-8?q?a=0D=0AX:_y?=", bad},
	{"H8", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "=?utf-8?q?a=07b?=", bad},
	{"H8", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "=?utf-8?q?=E2=80=AEcod?=", bad},
	{"H8", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "=?utf-8?q?=E2=80=A8x?=", bad},
	{"H8", request, "=?utf-8?q?f=C3=BCr_Zo=C3=AB?=", "=? what", bad},
	{"H8", request, "=?utf-8?q?Zo=C3=AB_O'Neil?=", "=?utf-8?q?Zo=C3=AB_=3D=3Fx?=", bad},
	{"H10", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nX-Mailer: go-mail v0.8.1\r\n", meh},
	{"H10", request, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nUser-Agent: go-mail\r\n", meh},
}

// unusualMutations are faults that need a part to be unusual from the start.
var unusualMutations = []mutation{
	{"M1", request, "Content-Type: multipart/mixed; boundary=\"outer\"", "Content-Type: multipart/mixed; boundary=\"outer", bad},
	{"M1", request, "Content-Disposition: attachment;", "Content-Disposition: attach ment;", bad},
	{"M1", request, "; boundary=\"inner\"", "", bad},
	{"M5", request, "--outer--\r\n", "--outer\r\nContent-Disposition: attachment\r\n\r\nx\r\n--outer--\r\n", bad},
	{"M7", request, "quoted-printable", "x-uuencode", bad},
	{"M7", request, "Zo=C3=AB meets", "Zo=ZZ meets", bad},
}

// TestUnusualMutations needs the rule among what is found. A part that cannot
// be read leaves others without what they need.
func TestUnusualMutations(t *testing.T) {
	for _, m := range unusualMutations {
		t.Run(label(m), func(t *testing.T) {
			text := apply(t, read(t, m.base), m.old, m.new)
			if f := Mail([]byte(text), options); !holds(f, m.rule, m.sev) {
				t.Errorf("%s is not among %v", m.rule, f)
			}
		})
	}
}

// TestDateAndTimeDoNotMix: the whole day has a warning of its own.
func TestDateAndTimeDoNotMix(t *testing.T) {
	text := apply(t, read(t, invite), "DTEND:20270305T100000Z", "DTEND;VALUE=DATE:20270306")
	if f := Calendar([]byte(text)); !holds(f, "C7", bad) {
		t.Errorf("C7 is not among %v", f)
	}
}

// holds says whether the rule is among the findings.
func holds(f []Finding, rule string, sev Severity) bool {
	return slices.ContainsFunc(f, func(one Finding) bool { return one.Rule == rule && one.Severity == sev })
}

// TestPlainCalendarPart: 8bit is legal, but relays change it, and 7bit with
// raw UTF-8 is broken.
func TestPlainCalendarPart(t *testing.T) {
	ics, m := read(t, invite), read(t, request)
	for cte, sev := range map[string]Severity{"8bit": meh, "7bit": bad} {
		text := strings.ReplaceAll(m, "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: "+cte)
		expect(t, Mail([]byte(strings.ReplaceAll(text, wrapped(ics), ics)), options), "M7", sev)
	}
}
