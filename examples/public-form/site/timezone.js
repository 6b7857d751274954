// The invitation then shows the time in the client's own zone.
document.querySelector("[name=timezone]").value = Intl.DateTimeFormat().resolvedOptions().timeZone;
