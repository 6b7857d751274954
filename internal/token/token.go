// Package token makes and checks the signed tokens of links and forms. A token
// says what it is good for, for which event and until when, and nothing in it
// can be changed: everything is under one MAC.
package token

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Purpose is what a token is good for. A token for one purpose is void for all
// others.
type Purpose byte

// The purposes. Their values are in links that were mailed, so they stay.
const (
	ManageClient Purpose = 'c' // the client's link to the page of a booking
	ManageHost   Purpose = 'h' // the host's
	Confirm      Purpose = 'k' // the link by which a client confirms a booking
	ActClient    Purpose = 'a' // the form on the client's page of a booking
	ActHost      Purpose = 'b' // the form on the host's
	ActConfirm   Purpose = 'o' // the form on the page that confirms
	Form         Purpose = 'f' // the site's own booking form
)

// Token is what a token says.
type Token struct {
	Purpose Purpose

	// Subject is what it is about: an event's UID, or a nonce.
	Subject string

	// Sequence is the event's SEQUENCE when the token was made.
	Sequence int

	// Issued and Expires are in whole seconds.
	Issued, Expires time.Time
}

// Errors of Keyring.Verify.
var (
	// ErrInvalid is a token that is none of ours, or for another purpose.
	ErrInvalid = errors.New("invalid token")

	// ErrExpired is a token of ours whose time is over.
	ErrExpired = errors.New("expired token")
)

const (
	version = 1
	macSize = 16 // RFC 2104, section 5, allows half of the hash

	// maxToken bounds what is decoded, in characters.
	maxToken = 1024

	subjectPlain = 0 // as it is
	subjectUUID  = 1 // 16 bytes for the canonical UUID that it begins with
	uuidLength   = 36
)

// encoding refuses stray bits, so that a token has one spelling only.
var encoding = base64.RawURLEncoding.Strict()

// appendPayload lays out version, purpose, issue time, life, sequence, subject.
func (t *Token) appendPayload(b []byte) []byte {
	b = append(b, version, byte(t.Purpose))
	b = binary.AppendUvarint(b, seconds(t.Issued))
	b = binary.AppendUvarint(b, seconds(t.Expires)-seconds(t.Issued))
	b = binary.AppendUvarint(b, uint64(max(t.Sequence, 0)))
	if len(t.Subject) >= uuidLength {
		id, err := uuid.Parse(t.Subject[:uuidLength])
		if err == nil && id.String() == t.Subject[:uuidLength] {
			b = append(append(b, subjectUUID), id[:]...)
			return append(b, t.Subject[uuidLength:]...)
		}
	}
	return append(append(b, subjectPlain), t.Subject...)
}

// isFor reports whether the token is for one of some purposes.
func (t *Token) isFor(purposes []Purpose) bool { return slices.Contains(purposes, t.Purpose) }

// seconds never is negative: no clock that signs shows a time before 1970.
func seconds(t time.Time) uint64 { return uint64(max(t.Unix(), 0)) }

// parsePayload reads what appendPayload wrote. The MAC was checked before.
func parsePayload(b []byte) (Token, error) {
	if len(b) < 2 || b[0] != version {
		return Token{}, ErrInvalid
	}
	t := Token{Purpose: Purpose(b[1])}
	b = b[2:]
	var numbers [3]uint64
	for i := range numbers {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > 1<<40 {
			return Token{}, ErrInvalid
		}
		numbers[i], b = n, b[size:]
	}
	t.Issued = time.Unix(int64(numbers[0]), 0)
	t.Expires = t.Issued.Add(time.Duration(numbers[1]) * time.Second)
	t.Sequence = int(numbers[2])
	var err error
	t.Subject, err = parseSubject(b)
	return t, err
}

func parseSubject(b []byte) (string, error) {
	switch {
	case len(b) > 16 && b[0] == subjectUUID:
		return uuid.UUID(b[1:17]).String() + string(b[17:]), nil
	case len(b) > 0 && b[0] == subjectPlain:
		return string(b[1:]), nil
	}
	return "", ErrInvalid
}
