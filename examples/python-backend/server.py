"""A small booking back end: forms over HTTP, bookings in memory, no
dependencies. Only Caddy reaches it, because it listens on loopback.

What is to be sent it says by headers, which Caddy takes out of the answer:
Ical-Invite (send, update, cancel or skip) and Ical-Invite-Id, -Start, -End,
-Summary, -Location, -Name, -Email, -Timezone, -Host.
"""

import html
import os
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

bookings = {}
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        form = self.form()
        if not form.get("who") or not form.get("when"):
            return self.page(422, "Please tell us who comes, and when.")
        booking = secrets.token_hex(8)
        with lock:
            bookings[booking] = form
        self.page(201, f"{form['who']}, you are booked.", {
            # A time that is only on hold is no reason for an invitation.
            "Ical-Invite": "skip" if form.get("hold") else "send",
            "Ical-Invite-Id": booking,
            "Ical-Invite-Summary": "Consultation",
            "Ical-Invite-Location": f"https://meet.example.com/{booking}",
        })

    def do_PATCH(self):
        booking, form = self.booking(), self.form()
        with lock:
            if booking not in bookings:
                return self.page(404, "There is no such booking.")
            bookings[booking] |= form
        self.page(200, "Your booking has been changed.", {
            "Ical-Invite": "update",
            "Ical-Invite-Id": booking,
        })

    def do_DELETE(self):
        booking = self.booking()
        with lock:
            if bookings.pop(booking, None) is None:
                return self.page(404, "There is no such booking.")
        self.page(200, "Your booking has been cancelled.", {
            "Ical-Invite": "cancel",
            "Ical-Invite-Id": booking,
        })

    def booking(self):
        return urlsplit(self.path).path.removeprefix("/bookings").strip("/")

    def form(self):
        length = int(self.headers.get("Content-Length") or 0)
        fields = parse_qs(self.rfile.read(length).decode())
        return {name: values[0] for name, values in fields.items()}

    def page(self, status, text, headers=None):
        body = f"<!doctype html><title>Booking</title><p>{html.escape(text)}".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


port = int(os.environ.get("PORT", "9000"))
with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
