package caddyicalmail

import (
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// The names of the events that are emitted. Their data holds ids and classes,
// never addresses or what a user typed.
const (
	eventQueued    = "ical_invite.queued"
	eventSent      = "ical_invite.sent"
	eventDeferred  = "ical_invite.deferred"
	eventFailed    = "ical_invite.failed"
	eventSuspended = "ical_invite.suspended"
	eventResumed   = "ical_invite.resumed"
	eventCancelled = "ical_invite.cancelled"
	eventLost      = "ical_invite.lost"
	eventPending   = "ical_invite.pending"
)

// observer logs what the outbox does and emits events. It keeps the config's
// context because that is what events are emitted with.
type observer struct {
	ctx    caddy.Context
	logger *zap.Logger
	events *caddyevents.App

	// pii lets addresses into the log.
	pii bool
}

var _ outbox.Observer = (*observer)(nil)

// emit emits an event unless the config is gone: its handlers are then, too.
func (o *observer) emit(name string, data map[string]any) {
	if o.events != nil && o.ctx.Err() == nil {
		o.events.Emit(o.ctx, name, data)
	}
}

// Settled implements outbox.Observer.
func (o *observer) Settled(job *store.Job, outcome store.Outcome, failure *outbox.Failure, took time.Duration) {
	level, message, event := zap.InfoLevel, "message sent", eventSent
	switch outcome.State {
	case store.Failed:
		level, message, event = zap.ErrorLevel, "message failed", eventFailed
	case store.Deferred:
		level, message, event = zap.WarnLevel, "message deferred", eventDeferred
	case store.Queued:
		level, message, event = zap.WarnLevel, "mail server not usable, message waits", ""
	}
	if c := o.logger.Check(level, message); c != nil {
		c.Write(o.settledFields(job, outcome, failure, took)...)
	}
	if event == "" {
		return
	}
	o.emit(event, map[string]any{
		"uid": job.UID, "message": job.ID, "role": string(job.Role), "mailer": job.Mailer,
		"smtp_code": outcome.Code, "class": outcome.Error,
	})
}

func (o *observer) settledFields(job *store.Job, outcome store.Outcome, failure *outbox.Failure, took time.Duration) []zapcore.Field {
	fields := []zapcore.Field{
		zap.String("uid", job.UID),
		zap.String("message", job.ID),
		zap.String("role", string(job.Role)),
		zap.String("mailer", job.Mailer),
		zap.Int("attempts", job.Attempts),
		zap.Duration("took", took),
	}
	if failure != nil {
		fields = append(fields,
			zap.Int("smtp_code", failure.Code),
			zap.String("class", string(failure.Class)),
			zap.String("error", o.failureText(failure, job.To)))
	}
	fields = append(fields, o.addresses("recipient", job.To)...)
	if outcome.State == store.Deferred {
		fields = append(fields, zap.Time("next_attempt", outcome.Due))
	}
	return fields
}

// Suspended implements outbox.Observer.
func (o *observer) Suspended(mailer string, failure *outbox.Failure) {
	o.logger.Error("MAILER SUSPENDED: the mail server refuses us, all its messages wait until that is mended",
		zap.String("mailer", mailer),
		zap.Int("smtp_code", failure.Code),
		zap.String("error", o.failureText(failure)))
	o.emit(eventSuspended, map[string]any{"mailer": mailer, "smtp_code": failure.Code})
}

// Resumed implements outbox.Observer.
func (o *observer) Resumed(mailer string) {
	o.logger.Warn("mailer resumed", zap.String("mailer", mailer))
	o.emit(eventResumed, map[string]any{"mailer": mailer})
}

// Trouble implements outbox.Observer.
func (o *observer) Trouble(mailer, doing string, err error) {
	o.logger.Error("outbox is in trouble", zap.String("doing", doing), zap.String("mailer", mailer), zap.Error(err))
}

// Swept implements outbox.Observer.
func (o *observer) Swept(events int) {
	if events > 0 {
		o.logger.Info("past events forgotten", zap.Int("events", events))
	}
}

// committed tells that an event was created, changed or cancelled.
func (o *observer) committed(e *booking.Event, status string, receipt store.Receipt) {
	if c := o.logger.Check(zap.InfoLevel, "booking accepted"); c != nil {
		fields := []zap.Field{
			zap.String("uid", e.UID), zap.Int("sequence", e.Sequence), zap.String("status", status),
			zap.Int("messages", receipt.Queued), zap.Int("superseded", receipt.Superseded),
		}
		fields = append(fields, o.addresses("client", e.Client.Address)...)
		c.Write(append(fields, o.addresses("host", e.Host.Address)...)...)
	}
	name := eventQueued
	switch status {
	case statusCancelled:
		name = eventCancelled
	case statusPending:
		name = eventPending
	}
	o.emit(name, map[string]any{"uid": e.UID, "sequence": e.Sequence, "status": status, "messages": receipt.Queued})
}

// lost tells that a back end has a booking whose invitation was not committed.
func (o *observer) lost(err error) {
	o.logger.Error("the back end took a booking, and its invitation could not be committed", zap.Error(err))
	o.emit(eventLost, map[string]any{})
}
