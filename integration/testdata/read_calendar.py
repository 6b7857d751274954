"""Reads calendars with python-icalendar, for the integration tests.

Standard input is a JSON list of iCalendar texts. Standard output is a JSON
list with what the library makes of each.
"""

import json
import sys

from icalendar import Calendar


def address(value):
    return {
        "address": str(value),
        "params": {name: value.params[name] for name in value.params},
    }


def as_list(value):
    return value if isinstance(value, list) else [value]


def event(component):
    return {
        "uid": str(component["UID"]),
        "summary": str(component["SUMMARY"]),
        "location": str(component.get("LOCATION", "")),
        "start": component.decoded("DTSTART").isoformat(),
        "end": component.decoded("DTEND").isoformat(),
        "organizer": address(component["ORGANIZER"]),
        "attendees": [address(a) for a in as_list(component["ATTENDEE"])],
        "errors": [str(e) for e in component.errors],
    }


def calendar(text):
    parsed = Calendar.from_ical(text)
    return {
        "method": str(parsed["METHOD"]),
        "events": [event(e) for e in parsed.walk("VEVENT")],
    }


json.dump([calendar(text) for text in json.load(sys.stdin)], sys.stdout)
