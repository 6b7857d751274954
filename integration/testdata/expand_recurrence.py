"""Expands recurring events, for the integration tests.

Standard input is a JSON list of iCalendar texts with one event each. Standard
output is a JSON list of objects: by judge, the occurrences as UTC instants.
The rule is expanded by dateutil in local time. What that is in UTC is asked
of the IANA database by the zone's name, and of two readers of the calendar's
own VTIMEZONE, python-icalendar and dateutil.
"""

import io
import json
import sys
from datetime import timezone
from zoneinfo import ZoneInfo

from dateutil import tz
from dateutil.rrule import rruleset, rrulestr
from icalendar import Calendar


def as_list(value):
    return value if isinstance(value, list) else [value]


def occurrences(event):
    """The wall clock times at which the event begins."""
    start = event["DTSTART"].dt.replace(tzinfo=None)
    dates = rruleset()
    dates.rrule(rrulestr(event["RRULE"].to_ical().decode(), dtstart=start, ignoretz=True))
    for exdates in as_list(event.get("EXDATE", [])):
        for exdate in exdates.dts:
            dates.exdate(exdate.dt.replace(tzinfo=None))
    return list(dates)


def utc(times):
    return [t.astimezone(timezone.utc).isoformat() for t in times]


def expand(text):
    calendar = Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    (described,) = calendar.walk("VTIMEZONE")
    name = event["DTSTART"].params["TZID"]
    assert described["TZID"] == name, "the zone has another name than the event's"
    for prop in ("DTEND", "EXDATE"):
        for value in as_list(event.get(prop, [])):
            assert value.params["TZID"] == name, prop + " is in another zone"

    walls = occurrences(event)
    by_icalendar = described.to_tz()
    by_dateutil = tz.tzical(io.StringIO(text)).get(name)
    return {
        "iana": utc(t.replace(tzinfo=ZoneInfo(name)) for t in walls),
        "icalendar": utc(by_icalendar.localize(t) for t in walls),
        "dateutil": utc(t.replace(tzinfo=by_dateutil) for t in walls),
    }


json.dump([expand(text) for text in json.load(sys.stdin)], sys.stdout)
