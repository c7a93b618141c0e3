// The stream of events, read by `fetch`: it goes on by the id after a cut, sees why it is refused, and notices silence.

const SILENCE_MS = 60_000;
const AGAIN_MS = [1_000, 2_000, 5_000, 10_000];

// Cuts a text that comes in pieces into events: `{event, data, id}`.
export class Parser {
  constructor() {
    this.rest = "";
    this.event = {};
  }

  push(text) {
    const events = [];
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    for (const line of lines.map((line) => line.replace(/\r$/, ""))) {
      if (line === "") {
        if (this.event.data !== undefined || this.event.id !== undefined) events.push(this.event);
        this.event = {};
        continue;
      }
      const colon = line.indexOf(":");
      if (colon <= 0) continue;
      const value = line.slice(colon + 1).replace(/^ /, "");
      const name = line.slice(0, colon);
      if (name === "data" && this.event.data !== undefined) this.event.data += `\n${value}`;
      else this.event[name] = value;
    }
    return events;
  }
}

// Listens for ever. `told(event, data)` gets each event, `state(name, why)` what becomes of the connection.
export async function listen(url, told, state) {
  let id = null;
  for (let failures = 0; ; ) {
    const heard = await once(url, id, told, state, (newest) => {
      id = newest;
    });
    failures = heard.events ? 0 : failures + 1;
    state("away", heard.why);
    const wait = AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)];
    // Not all pages at once after a restart.
    await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() / 2)));
  }
}

async function once(url, id, told, state, newest) {
  const abort = new AbortController();
  let watch = 0;
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => abort.abort(), SILENCE_MS);
  };
  const heard = { events: 0, why: "" };
  try {
    alive();
    const headers = id === null ? {} : { "Last-Event-ID": id };
    const answer = await fetch(url, { headers, signal: abort.signal, cache: "no-store" });
    if (!answer.ok) {
      const why = await answer.json().catch(() => ({}));
      heard.why = why.error ?? `HTTP ${answer.status}`;
      return heard;
    }
    const parser = new Parser();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return heard;
      alive();
      for (const { event, data, id } of parser.push(value)) {
        heard.events += 1;
        if (data !== undefined) told(event, JSON.parse(data));
        if (id !== undefined) newest(id);
        if (event === "current") state("live", "");
      }
    }
  } catch (error) {
    heard.why = abort.signal.aborted ? "silence" : error.message;
    return heard;
  } finally {
    clearTimeout(watch);
    abort.abort();
  }
}
