package bolt

import (
	"errors"
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"
)

// layoutVersion rises when an older program could no longer work with the
// file. Records have versions of their own, and JSON takes new fields.
// Layout 2 brought the slots, because a program that does not know them would
// book twice.
const layoutVersion = 2

// The buckets. Keys that are joined of several parts are made by key, so
// that a part can be used as a prefix.
var (
	bucketMeta    = []byte("meta")    // see below
	bucketEvent   = []byte("event")   // uid → event record
	bucketID      = []byte("id")      // scope, booking's id → uid
	bucketMessage = []byte("message") // message ID → message record: the small state
	bucketBody    = []byte("body")    // message ID → bytes, apart so that a retry leaves them alone
	bucketDue     = []byte("due")     // mailer, due, ordinal → message ID: heads of chains only
	bucketOpen    = []byte("open")    // mailer, accepted, ordinal → message ID: all that is unsettled
	bucketChain   = []byte("chain")   // uid, recipient, SEQUENCE, ordinal → link and message ID: every message
	bucketKey     = []byte("key")     // SHA-256 of the idempotency key → key record
	bucketCounter = []byte("counter") // SHA-256 of the counter → ticks
	bucketSlot    = []byte("slot")    // SHA-256 of the resource, end, owner → start, held until
	bucketTaken   = []byte("taken")   // owner, which is the SHA-256 of a uid, resource, end → start: each in slot, too
	bucketHold    = []byte("hold")    // uid → hold record: held events only
	bucketHeld    = []byte("held")    // SHA-256 of the counter, end of the slots, uid → nothing: what counts
	bucketKept    = []byte("kept")    // name → value of which there is one for the whole store
)

// buckets are those that a layout has.
func buckets(version int) [][]byte {
	all := [][]byte{
		bucketMeta, bucketEvent, bucketID, bucketMessage, bucketBody,
		bucketDue, bucketOpen, bucketChain, bucketKey, bucketCounter,
	}
	if version >= 2 {
		all = append(all, bucketSlot, bucketTaken, bucketHold, bucketHeld, bucketKept)
	}
	return all
}

// What the meta bucket holds.
var (
	metaLayout  = []byte("layout")  // layoutVersion in decimal
	metaClean   = []byte("clean")   // present while the store is closed and knows of every attempt
	metaDoubt   = []byte("doubt")   // ordinal up to which messages may have been attempted
	metaConfirm = []byte("confirm") // rewritten to make an unsure commit durable
)

// prepareLayout makes the buckets of a new file, brings an older one up to
// date, and refuses a newer or foreign one.
func (s *Store) prepareLayout() error {
	empty, version := true, ""
	err := s.db.View(func(tx *bbolt.Tx) error {
		if meta := tx.Bucket(bucketMeta); meta != nil {
			version = string(meta.Get(metaLayout))
		}
		return tx.ForEach(func([]byte, *bbolt.Bucket) error {
			empty = false
			return nil
		})
	})
	switch {
	case err != nil:
		return err
	case empty:
		return s.update(createLayout)
	}
	n, err := parseVersion(version)
	if err != nil {
		return err
	}
	err = s.db.View(func(tx *bbolt.Tx) error { return requireBuckets(tx, n) })
	if err != nil || n == layoutVersion {
		return err
	}
	return s.update(migrate)
}

// migrate brings an older layout up to date in one transaction, so that the
// file is of one layout or the other, whatever happens. What an older program
// wrote stays as it is.
func migrate(tx *bbolt.Tx) error {
	for _, name := range buckets(layoutVersion) {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("adding bucket %s: %w", name, err)
		}
	}
	return tx.Bucket(bucketMeta).Put(metaLayout, strconv.AppendInt(nil, layoutVersion, 10))
}

func createLayout(tx *bbolt.Tx) error {
	for _, name := range buckets(layoutVersion) {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	return errors.Join(
		meta.Put(metaLayout, strconv.AppendInt(nil, layoutVersion, 10)),
		meta.Put(metaClean, []byte{1}),
	)
}

func parseVersion(version string) (int, error) {
	n, err := strconv.Atoi(version)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%w: it has no layout version", ErrDamaged)
	}
	if n > layoutVersion {
		return 0, fmt.Errorf("the file has layout version %d, but this program knows only version %d and below; run the newer version that wrote it, or start with another file", n, layoutVersion)
	}
	return n, nil
}

func requireBuckets(tx *bbolt.Tx, version int) error {
	for _, name := range buckets(version) {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	return nil
}
