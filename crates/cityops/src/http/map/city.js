// What is known of the city: open incidents by id, and which of them are wanted. It knows nothing of pages or networks.

export const BANDS = ["P1", "P2", "P3", "P4"];

export class City {
  constructor() {
    this.incidents = new Map();
    this.coming = null;
    this.bands = new Set(BANDS);
    this.kind = "";
  }

  // Takes one event of the stream; answers whether what is shown may have changed.
  take(event, data) {
    const known = this.coming ?? this.incidents;
    switch (event) {
      case "reset":
        // What was known stays on the screen until all is told anew.
        this.coming = new Map();
        return false;
      case "current":
        if (this.coming) this.incidents = this.coming;
        this.coming = null;
        return true;
      case "incident": {
        const before = known.get(data.incident_id);
        if (before && before.revision > data.revision) return false;
        if (data.status === "OPEN") known.set(data.incident_id, data);
        else known.delete(data.incident_id);
        return known === this.incidents;
      }
      case "gone":
        return known.delete(data.incident_id) && known === this.incidents;
      default:
        return false;
    }
  }

  // The wanted ones, the most urgent first.
  shown() {
    const wanted = [...this.incidents.values()].filter(
      (it) => this.bands.has(it.priority.band) && (!this.kind || it.kind === this.kind),
    );
    return wanted.sort(byUrgency);
  }

  // How many are open in each band, of the wanted kind.
  counts() {
    const counts = Object.fromEntries(BANDS.map((band) => [band, 0]));
    for (const it of this.incidents.values()) {
      if (!this.kind || it.kind === this.kind) counts[it.priority.band] += 1;
    }
    return counts;
  }

  // Kinds with their names, by name.
  kinds() {
    const kinds = new Map();
    for (const it of this.incidents.values()) kinds.set(it.kind, it.name_zh);
    return [...kinds].sort((a, b) => a[1].localeCompare(b[1], "zh-CN") || (a[0] < b[0] ? -1 : 1));
  }
}

// By band, score, newest, id.
export function byUrgency(a, b) {
  return (
    compare(a.priority.band, b.priority.band) ||
    b.priority.score - a.priority.score ||
    compare(b.opened_at, a.opened_at) ||
    compare(a.incident_id, b.incident_id)
  );
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
