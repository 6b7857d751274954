package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// BenchmarkRawFsync is what the disk gives: 5 KiB appended and synced.
func BenchmarkRawFsync(b *testing.B) {
	f, err := os.Create(testPath(b))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	body := testBody("raw")
	for b.Loop() {
		if _, err := f.Write(body); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAccept(b *testing.B) {
	for _, producers := range []int{1, 16, 128} {
		b.Run(fmt.Sprint(producers), func(b *testing.B) {
			s := openTest(b, testPath(b))
			template := testAcceptance(b, "template")
			var n atomic.Int64
			b.SetParallelism((producers + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := s.Accept(context.Background(), copyAcceptance(template, n.Add(1))); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
		})
	}
}

// copyAcceptance makes the nth acceptance after a template.
func copyAcceptance(template *store.Acceptance, n int64) *store.Acceptance {
	a := *template
	k := *template.Key
	a.Event.UID = fmt.Sprintf("%016x-uid", uint64(n)*0x9E3779B97F4A7C15)
	a.ID, k.Key, a.Key = a.Event.UID, a.Event.UID, &k
	a.Messages = append([]store.NewMessage(nil), template.Messages...)
	a.Messages[0].UID, a.Messages[0].ID = a.Event.UID, fmt.Sprintf("m-%016x", n)
	return &a
}

// BenchmarkClaimSettle is 16 workers that take one message at a time.
func BenchmarkClaimSettle(b *testing.B) {
	s := openTest(b, testPath(b))
	template := testAcceptance(b, "template")
	fill(b, s, template, b.N)
	b.SetParallelism((16 + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			for _, j := range mustClaim(b, s, testStart, 1) {
				if err := s.Settle(context.Background(), outcome(j, store.Sent)); err != nil {
					b.Error(err)
				}
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "settles/s")
}

// fill stores n messages with many producers.
func fill(t testing.TB, s *Store, template *store.Acceptance, n int) {
	t.Helper()
	var next atomic.Int64
	done := make(chan error)
	for range 256 {
		go func() {
			var err error
			for i := next.Add(1); i <= int64(n) && err == nil; i = next.Add(1) {
				_, err = s.Accept(context.Background(), copyAcceptance(template, i))
			}
			done <- err
		}()
	}
	for range 256 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// TestBacklog makes sure that what waits costs no memory, and that claiming
// does not look at all of it.
func TestBacklog(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	n := 30_000 // it was measured with 100,000, which takes 18 s
	if raceEnabled {
		n = 5_000
	}
	path := testPath(t)
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := heap()
	fill(t, s, testAcceptance(t, "template"), n)
	grown := int64(heap()) - int64(before)
	if grown > 3<<20 {
		t.Errorf("%d messages take %d bytes of heap", n, grown)
	}
	begin := time.Now()
	for range 100 {
		if got := len(mustClaim(t, s, testStart, 1)); got != 1 {
			t.Fatalf("claimed %d", got)
		}
	}
	if took := time.Since(begin) / 100; took > 10*time.Millisecond {
		t.Errorf("a claim takes %s", took)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	s = openTest(t, path)
	t.Logf("%d bytes of heap for %d messages, %d MB on disk, opened in %s", grown, n, s.Opening().Size>>20, time.Since(begin))
	stats, err := s.Stats(context.Background())
	if err != nil || stats.Mailers[testMailer].Queued != n {
		t.Errorf("%+v, %v", stats, err)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// slotNumber is the nth of many slots of one resource, with a gap of the same
// length after each.
func slotNumber(n int) store.Slot {
	at := testStart.Add(time.Duration(n) * 20 * time.Minute)
	return store.Slot{Resource: "r", Start: at, End: at.Add(10 * time.Minute)}
}

// fillSlots has events occupy n slots, in steps of as many as an event may.
func fillSlots(t testing.TB, s *Store, n int) {
	t.Helper()
	for i := 0; i < n; i += store.MaxSlots {
		a := testAcceptance(t, fmt.Sprint("filler", i))
		for j := i; j < min(n, i+store.MaxSlots); j++ {
			a.Slots = append(a.Slots, slotNumber(j))
		}
		mustAccept(t, s, a)
	}
}

// BenchmarkSlot asks for a taken slot, which shows what the search costs
// without the commit, and moves an event into free gaps all over the file.
func BenchmarkSlot(b *testing.B) {
	for _, n := range []int{0, 1000, 100_000} {
		s := openTest(b, testPath(b))
		fillSlots(b, s, n)
		gap := func(i int) store.Slot {
			at := slotNumber(i * 7919 % max(1, n))
			at.Start, at.End = at.End, at.End.Add(10*time.Minute)
			return at
		}
		b.Run(fmt.Sprint("taken/", n), func(b *testing.B) {
			a := testAcceptance(b, "wanting")
			for i := 0; b.Loop(); i++ {
				a.Slots = []store.Slot{slotNumber(i * 7919 % max(1, n))}
				if _, err := s.Accept(context.Background(), a); n > 0 && !errors.Is(err, store.ErrSlotTaken) {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("free/", n), func(b *testing.B) {
			a := testAcceptance(b, fmt.Sprint("moving", b.N))
			a.Key, a.ID, a.Messages = nil, "", nil
			for i := 0; b.Loop(); i++ {
				a.Expect, a.Event.Sequence, a.Slots = i-1, i, []store.Slot{gap(i)}
				mustAccept(b, s, a)
			}
		})
	}
}
