package bolt

import (
	"errors"
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"
)

// layoutVersion rises when an older program could no longer work with the
// file. Records have versions of their own, and JSON takes new fields.
const layoutVersion = 1

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
)

func buckets() [][]byte {
	return [][]byte{
		bucketMeta, bucketEvent, bucketID, bucketMessage, bucketBody,
		bucketDue, bucketOpen, bucketChain, bucketKey, bucketCounter,
	}
}

// What the meta bucket holds.
var (
	metaLayout  = []byte("layout")  // layoutVersion in decimal
	metaClean   = []byte("clean")   // present while the store is closed and knows of every attempt
	metaDoubt   = []byte("doubt")   // ordinal up to which messages may have been attempted
	metaConfirm = []byte("confirm") // rewritten to make an unsure commit durable
)

// prepareLayout makes the buckets of a new file and refuses a foreign one.
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
	if err := checkVersion(version); err != nil {
		return err
	}
	return s.db.View(requireBuckets)
}

func createLayout(tx *bbolt.Tx) error {
	for _, name := range buckets() {
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

func checkVersion(version string) error {
	n, err := strconv.Atoi(version)
	if err != nil || n < 1 {
		return fmt.Errorf("%w: it has no layout version", ErrDamaged)
	}
	if n > layoutVersion {
		return fmt.Errorf("the file has layout version %d, but this program knows only version %d and below; run the newer version that wrote it, or start with another file", n, layoutVersion)
	}
	return nil
}

func requireBuckets(tx *bbolt.Tx) error {
	for _, name := range buckets() {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	return nil
}
