package integration_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

// mailboxOwner owns the mailboxes: nobody, of whom nothing else is in danger.
const mailboxOwner = 65534

// postfixMain is a server that takes as little as a strict one would: only
// TLS, only proper names and addresses, only 7 bits.
const postfixMain = `
compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = DIR/log
maillog_file_prefixes = DIR
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.test.example
mydestination =
mynetworks =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
biff = no

smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = DIR/etc/chain.pem
smtpd_tls_mandatory_protocols = >=TLSv1.2

smtpd_helo_required = yes
strict_rfc821_envelopes = yes
strict_7bit_headers = yes
strict_8bitmime = yes
strict_mime_encoding_domain = yes
smtpd_discard_ehlo_keywords = 8bitmime, smtputf8, chunking
smtputf8_enable = no
smtpd_forbid_bare_newline = yes
smtpd_delay_reject = no
smtpd_client_restrictions = reject_unauth_pipelining
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname, reject_unauth_pipelining
smtpd_sender_restrictions = reject_non_fqdn_sender, reject_unauth_pipelining
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_non_fqdn_recipient, reject_unlisted_recipient, reject_unauth_pipelining
smtpd_data_restrictions = reject_unauth_pipelining, reject_multi_recipient_bounce
smtpd_hard_error_limit = 1

virtual_transport = virtual
virtual_mailbox_domains = example.net, example.org
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = texthash:DIR/etc/mailboxes
virtual_uid_maps = static:OWNER
virtual_gid_maps = static:OWNER
virtual_minimum_uid = 100
`

// postfixMaster lists the services: none of them in a chroot, and nothing that
// could send mail out of this machine.
const postfixMaster = `
PORT      inet  n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - discard
relay     unix  - - n - - discard
local     unix  - - n - - discard
error     unix  - - n - - error
retry     unix  - - n - - error
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
`

// configure writes the configuration for the server's address.
func (p *postfix) configure(t *testing.T) {
	t.Helper()
	_, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("DIR", p.dir, "OWNER", strconv.Itoa(mailboxOwner), "PORT", "127.0.0.1:"+port)
	p.write(t, "etc/main.cf", []byte(fill.Replace(postfixMain)))
	p.write(t, "etc/mailboxes", []byte(mailboxes(p.users)))
	p.write(t, "etc/master.cf", []byte(fill.Replace(postfixMaster)))
}

// mailboxes gives every address a Maildir of its own name.
func mailboxes(addresses []string) string {
	var table strings.Builder
	for _, a := range addresses {
		table.WriteString(a + " " + a + "/\n")
	}
	return table.String()
}
