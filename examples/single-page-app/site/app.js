const form = document.querySelector("form");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const byId = (id) => document.getElementById(id);

byId("zone").textContent = zone;

// Two views with paths of their own: / and /booked.
function show(view) {
	for (const id of ["book", "booked"]) {
		byId(id).hidden = id !== view;
	}
	byId(`${view}-title`).focus();
}

let booked; // the last answer of the server

function route() {
	show(location.pathname === "/booked" && booked ? "booked" : "book");
}

function go(path) {
	history.pushState(null, "", path);
	route();
}

addEventListener("popstate", route);

byId("booked").querySelector("a").addEventListener("click", (event) => {
	event.preventDefault();
	form.reset();
	showProblems([]);
	go("/");
});

// Each error names a field: its text goes beside that field, the rest below
// the form.
function showProblems(errors, detail = "") {
	for (const field of form.querySelectorAll("[name]")) {
		const own = errors.filter((e) => e.field === field.name).map((e) => e.detail);
		byId(`${field.id}-problem`).textContent = own.length ? `This ${own.join(", and ")}.` : "";
		field.toggleAttribute("aria-invalid", false);
		if (own.length) {
			field.setAttribute("aria-invalid", "true");
		}
	}
	const others = errors.filter((e) => !form.elements[e.field]).map((e) => `${e.field} ${e.detail}.`);
	byId("problem").textContent = [detail, ...others].join(" ").trim();
	form.querySelector("[aria-invalid]")?.focus();
}

// booking is what the server gets: an instant, and the zone to show it in.
function booking() {
	const data = Object.fromEntries(new FormData(form));
	if (data.start) {
		data.start = new Date(data.start).toISOString();
	}
	return { ...data, timezone: zone };
}

async function book() {
	const response = await fetch(form.dataset.api, {
		method: "POST",
		headers: { "Content-Type": "application/json", Accept: "application/json" },
		body: JSON.stringify(booking()),
	});
	const type = response.headers.get("Content-Type") ?? "";
	const answer = type.includes("json") ? await response.json() : {};
	if (!response.ok) {
		// application/problem+json (RFC 9457)
		showProblems(answer.errors ?? [], answer.detail ?? "The booking did not work. Please try again later.");
		return;
	}
	booked = answer;
	const when = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short", timeZone: zone });
	byId("when").textContent = when.formatRange(new Date(answer.start), new Date(answer.end));
	const warnings = (answer.warnings ?? []).map((w) => {
		const item = document.createElement("li");
		item.textContent = `${w.field} ${w.detail}.`;
		return item;
	});
	byId("warnings").replaceChildren(...warnings);
	byId("warnings").hidden = warnings.length === 0;
	go("/booked");
}

let busy = false;

form.addEventListener("submit", async (event) => {
	event.preventDefault();
	if (busy) {
		return;
	}
	busy = true;
	const button = form.querySelector("button");
	button.setAttribute("aria-disabled", "true");
	showProblems([]);
	try {
		await book();
	} catch {
		showProblems([], "The server cannot be reached. Please try again.");
	} finally {
		busy = false;
		button.removeAttribute("aria-disabled");
	}
});

route();
