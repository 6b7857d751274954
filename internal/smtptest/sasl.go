package smtptest

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/xdg-go/scram"
)

// newSASL returns the server side of a login mechanism, or nil if it is not
// known. A successful login is reported to accept.
func newSASL(mechanism string, users map[string]string, accept func(user string)) sasl.Server {
	check := func(user, password string) error {
		if want, ok := users[user]; !ok || want != password {
			return smtp.ErrAuthFailed
		}
		accept(user)
		return nil
	}
	switch mechanism {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) })
	case sasl.Login:
		return &loginServer{check: check}
	case "CRAM-MD5":
		return &cramServer{users: users, accept: accept}
	case "SCRAM-SHA-256":
		return newSCRAM(users, accept)
	}
	return nil
}

type loginServer struct {
	check func(user, password string) error
	step  int
	user  string
}

func (s *loginServer) Next(response []byte) ([]byte, bool, error) {
	s.step++
	switch s.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		s.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, s.check(s.user, string(response))
}

// cramServer is RFC 2195.
type cramServer struct {
	users  map[string]string
	accept func(user string)
	asked  bool
}

const cramChallenge = "<1896.697170952@mail.test>"

func (s *cramServer) Next(response []byte) ([]byte, bool, error) {
	if !s.asked {
		s.asked = true
		return []byte(cramChallenge), false, nil
	}
	user, digest, _ := strings.Cut(string(response), " ")
	mac := hmac.New(md5.New, []byte(s.users[user]))
	mac.Write([]byte(cramChallenge))
	if _, known := s.users[user]; !known || digest != hex.EncodeToString(mac.Sum(nil)) {
		return nil, true, smtp.ErrAuthFailed
	}
	s.accept(user)
	return nil, true, nil
}

// scramServer is RFC 5802 with SHA-256 (RFC 7677).
type scramServer struct {
	conversation *scram.ServerConversation
	accept       func(user string)
	verified     bool
}

func newSCRAM(users map[string]string, accept func(string)) sasl.Server {
	server, err := scram.SHA256.NewServer(func(user string) (scram.StoredCredentials, error) {
		password, ok := users[user]
		if !ok {
			return scram.StoredCredentials{}, errors.New("no such user")
		}
		client, err := scram.SHA256.NewClient(user, password, "")
		if err != nil {
			return scram.StoredCredentials{}, err
		}
		return client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: 4096})
	})
	if err != nil {
		return nil
	}
	return &scramServer{conversation: server.NewConversation(), accept: accept}
}

func (s *scramServer) Next(response []byte) ([]byte, bool, error) {
	if s.verified {
		return nil, true, nil
	}
	if len(response) == 0 {
		return nil, false, nil // the client has not begun yet
	}
	challenge, err := s.conversation.Step(string(response))
	if err != nil {
		return nil, true, smtp.ErrAuthFailed
	}
	if s.conversation.Valid() {
		s.accept(s.conversation.Username())
		s.verified = true
		return []byte(challenge), false, nil
	}
	return []byte(challenge), false, nil
}
