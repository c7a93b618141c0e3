// The map: borders of cells and signs of incidents on a canvas. Bands differ by shape and size, not by colour alone.

const SIZES = { P1: 9, P2: 8, P3: 6, P4: 5 };
const HIT_PX = 14;
const ZOOM_MAX = 400;

export class Drawing {
  constructor(canvas, picked) {
    this.canvas = canvas;
    this.picked = picked;
    this.cells = new Path2D();
    this.towns = new Path2D();
    this.names = [];
    this.box = null;
    this.view = { x: 0, y: 0, scale: 1 };
    this.fitted = true;
    this.incidents = [];
    this.chosen = null;
    this.pending = false;
    this.pointers = new Map();
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.later());
    this.hear();
  }

  // Borders of the finest cells and of wider ones, as `/api/grid` tells them.
  setGrid(fine, wide) {
    this.setBox(fine.bbox);
    this.cells = this.path(fine);
    this.towns = this.path(wide);
    this.names = wide.features.filter((it) => it.geometry).map((it) => this.label(it));
    this.fit();
  }

  setBox([west, south, east, north]) {
    const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180);
    this.box = { west, north, narrow, wide: (east - west) * narrow, high: north - south };
  }

  // Degrees to the units of the drawing: degrees of latitude from the north-west corner.
  project(lon, lat) {
    return [(lon - this.box.west) * this.box.narrow, this.box.north - lat];
  }

  // Where a point stands on the canvas, in CSS pixels.
  pixel(lon, lat) {
    const [x, y] = this.project(lon, lat);
    return [x * this.view.scale + this.view.x, y * this.view.scale + this.view.y];
  }

  path(grid) {
    const path = new Path2D();
    for (const { geometry } of grid.features) {
      for (const polygon of geometry?.coordinates ?? []) {
        for (const ring of polygon) {
          ring.forEach(([lon, lat], at) => {
            const [x, y] = this.project(lon, lat);
            if (at === 0) path.moveTo(x, y);
            else path.lineTo(x, y);
          });
          path.closePath();
        }
      }
    }
    return path;
  }

  label({ properties, geometry }) {
    const ring = geometry.coordinates.map((polygon) => polygon[0]).sort((a, b) => b.length - a.length)[0];
    const lons = ring.map((it) => it[0]);
    const lats = ring.map((it) => it[1]);
    const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
    return { text: properties.name, at: this.project(middle(lons), middle(lats)) };
  }

  show(incidents, chosen) {
    this.incidents = incidents.filter((it) => it.location);
    this.chosen = chosen;
    if (!this.box && this.incidents.length) {
      // No grid could be had: the incidents themselves tell where the city is.
      const lons = this.incidents.map((it) => it.location.lon);
      const lats = this.incidents.map((it) => it.location.lat);
      this.setBox([Math.min(...lons) - 0.01, Math.min(...lats) - 0.01, Math.max(...lons) + 0.01, Math.max(...lats) + 0.01]);
      this.fit();
    }
    this.later();
  }

  fit() {
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    if (!this.box || !wide || !high) return;
    this.least = Math.min(wide / this.box.wide, high / this.box.high) * 0.95;
    this.view.scale = this.least;
    this.view.x = (wide - this.box.wide * this.least) / 2;
    this.view.y = (high - this.box.high * this.least) / 2;
    this.fitted = true;
    this.later();
  }

  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    if (!this.box) return;
    const scale = Math.min(Math.max(this.view.scale * factor, this.least / 2), this.least * ZOOM_MAX);
    const by = scale / this.view.scale;
    this.view = { x: x - (x - this.view.x) * by, y: y - (y - this.view.y) * by, scale };
    this.fitted = false;
    this.later();
  }

  move(dx, dy) {
    this.view.x += dx;
    this.view.y += dy;
    this.fitted = false;
    this.later();
  }

  // Brings a place into view, if it is not.
  bring({ lon, lat }) {
    const [x, y] = this.pixel(lon, lat);
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    if (x < 20 || y < 20 || x > wide - 20 || y > high - 20) this.move(wide / 2 - x, high / 2 - y);
  }

  resize() {
    const dots = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * dots);
    this.canvas.height = Math.round(this.canvas.clientHeight * dots);
    if (this.fitted) this.fit();
    this.draw();
  }

  later() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  draw() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const pen = this.canvas.getContext("2d");
    const dots = devicePixelRatio || 1;
    const { x, y, scale } = this.view;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.box) return;
    pen.setTransform(scale * dots, 0, 0, scale * dots, x * dots, y * dots);
    for (const [path, ink, wide] of [
      [this.cells, "--cell", 0.7],
      [this.towns, "--town", 1.6],
    ]) {
      pen.strokeStyle = colour(ink);
      pen.lineWidth = wide / scale;
      pen.stroke(path);
    }
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.fillStyle = colour("--quiet");
    pen.font = "13px sans-serif";
    pen.textAlign = "center";
    for (const { text, at } of this.names) pen.fillText(text, at[0] * scale + x, at[1] * scale + y);
    // The most urgent last, so that it lies on top.
    for (const it of [...this.incidents].reverse()) this.sign(pen, it, colour);
  }

  sign(pen, incident, colour) {
    const { lon, lat, accuracy_m } = incident.location;
    const [x, y] = this.pixel(lon, lat);
    if (x < -50 || y < -50 || x > this.canvas.clientWidth + 50 || y > this.canvas.clientHeight + 50) return;
    const band = incident.priority.band;
    const size = SIZES[band] ?? 5;
    const is_chosen = incident.incident_id === this.chosen;
    if (is_chosen) {
      pen.strokeStyle = colour("--focus");
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, Math.max(size + 5, ((accuracy_m || 0) / 111_320) * this.view.scale), 0, 7);
      pen.stroke();
    }
    pen.beginPath();
    if (band === "P1") polygon(pen, x, y, size, 4);
    else if (band === "P2") polygon(pen, x, y, size, 3);
    else if (band === "P3") pen.arc(x, y, size, 0, 7);
    else pen.rect(x - size, y - size, 2 * size, 2 * size);
    pen.fillStyle = colour(`--${band.toLowerCase()}`);
    pen.fill();
    pen.strokeStyle = colour("--ground");
    pen.lineWidth = 1.5;
    pen.stroke();
  }

  // The nearest incident to a point on the canvas.
  nearest(x, y) {
    let best = null;
    let least = HIT_PX;
    for (const it of this.incidents) {
      const [px, py] = this.pixel(it.location.lon, it.location.lat);
      const far = Math.hypot(px - x, py - y);
      if (far < least) [best, least] = [it, far];
    }
    return best;
  }

  hear() {
    const canvas = this.canvas;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
      if (steps[event.key]) this.move(...steps[event.key]);
      else if (event.key === "+" || event.key === "=") this.zoom(1.5);
      else if (event.key === "-") this.zoom(1 / 1.5);
      else if (event.key === "0") this.fit();
      else return;
      event.preventDefault();
    });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY, moved: 0 });
    });
    canvas.addEventListener("pointermove", (event) => {
      const pointer = this.pointers.get(event.pointerId);
      if (!pointer) return;
      const before = this.spread();
      const [dx, dy] = [event.offsetX - pointer.x, event.offsetY - pointer.y];
      Object.assign(pointer, { x: event.offsetX, y: event.offsetY, moved: pointer.moved + Math.hypot(dx, dy) });
      if (this.pointers.size === 1) this.move(dx, dy);
      else if (before > 0) this.zoom(this.spread() / before, ...this.between());
    });
    const up = (event) => {
      const pointer = this.pointers.get(event.pointerId);
      this.pointers.delete(event.pointerId);
      if (event.type === "pointerup" && pointer && pointer.moved < 5) {
        const hit = this.nearest(event.offsetX, event.offsetY);
        if (hit) this.picked(hit.incident_id);
      }
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
  }

  spread() {
    const [a, b] = [...this.pointers.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  }

  between() {
    const [a, b] = [...this.pointers.values()];
    return [(a.x + b.x) / 2, (a.y + b.y) / 2];
  }
}

function polygon(pen, x, y, size, corners) {
  for (let at = 0; at < corners; at += 1) {
    const angle = (at / corners) * 2 * Math.PI - Math.PI / 2;
    pen.lineTo(x + size * 1.15 * Math.cos(angle), y + size * 1.15 * Math.sin(angle));
  }
  pen.closePath();
}
