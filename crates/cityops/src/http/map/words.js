// Words and times, in Chinese and English.

export const STATES = {
  connecting: "连接中 · connecting",
  live: "实时 · live",
  away: "连接中断，正在重连 · connection lost, trying again",
};

const STEPS = [
  ["acknowledged_at", "受理 acknowledged"],
  ["dispatched_at", "派遣 dispatched"],
  ["arrived_at", "到场 arrived"],
  ["resolved_at", "处置完成 resolved"],
  ["verified_at", "核查 verified"],
];

const PARTS = { S: "安全 safety", E: "暴露 exposure", C: "可信 credibility", R: "重复 repetition", W: "天气 weather", T: "时限 time" };

export function time(text) {
  if (!text) return "—";
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toLocaleString("zh-CN", { hour12: false });
}

// How long ago, short.
export function age(text, now) {
  const minutes = Math.floor((now - new Date(text).getTime()) / 60_000);
  if (!(minutes >= 0)) return "";
  if (minutes < 60) return `${minutes} 分 min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} 时 h`;
  return `${Math.floor(minutes / 1440)} 天 d`;
}

// The name of where it is, the finest cell last.
export function where(incident) {
  const first = incident.cells?.[0]?.layer;
  const names = (incident.cells ?? []).filter((cell) => cell.layer === first).map((cell) => cell.name);
  return names.slice(-2).join(" ") || "位置不明 · no place";
}

export function kind(incident) {
  return `${incident.name_zh} ${incident.kind.replaceAll("_", " ")}`;
}

// Rows of the details: a name and a value each.
export function facts(incident) {
  const { priority, handling, responsible, location } = incident;
  const rows = [
    ["编号 id", incident.incident_id],
    ["得分 score", `${priority.score} = ${parts(priority.parts)}`],
    ["发生 since", time(incident.first_event_at)],
    ["最近 last report", time(incident.last_event_at)],
    ["派遣时限 dispatch by", time(priority.deadline?.dispatch_by)],
    ["处置时限 control by", time(priority.deadline?.control_by)],
    ["上报 reports", `${incident.member_count}（${incident.source_types.join(", ")}），${incident.reporter_count} 人 people`],
    ["位置 place", location ? `${location.lat.toFixed(5)}, ${location.lon.toFixed(5)} ± ${Math.round(location.accuracy_m)} m` : "—"],
    ["网格 cell", where(incident)],
    ["责任 responsible", [responsible?.name, responsible?.unit].filter(Boolean).join(" · ") || "—"],
  ];
  for (const [step, name] of STEPS) {
    if (handling?.[step]) rows.push([name, time(handling[step])]);
  }
  if (handling?.returned_count) rows.push(["退回 returned", String(handling.returned_count)]);
  if (priority.overrides?.length) rows.push(["规则 overrides", priority.overrides.join(", ")]);
  if (incident.storm_id) rows.push(["暴雨台风 storm", incident.storm_id]);
  if (incident.recurrence_of) rows.push(["复发自 recurrence of", incident.recurrence_of]);
  if (incident.related?.length) rows.push(["相关 related", incident.related.map((it) => it.incident_id ?? it).join(", ")]);
  return rows;
}

function parts(parts) {
  return Object.entries(parts ?? {})
    .filter(([, value]) => value)
    .map(([name, value]) => `${PARTS[name] ?? name} ${value}`)
    .join(" + ");
}

// What one member is called.
export function member(it) {
  const near = Number.isFinite(it.distance_m) ? `，${Math.round(it.distance_m)} m` : "";
  return `${time(it.event_time)}　${it.source} ${it.source_system}/${it.event_id}${near}${it.why ? `　${why(it.why)}` : ""}`;
}

function why(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
