// Draws every .plot from the figures beside it; the same figures stand in a table below for whoever can't see it.
(() => {
  const drawn = new Map();

  const colour = (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const palette = () => Object.fromEntries(
    ["ink", "soft", "rule", "firm", "lead", "lead-wash", "good", "watch", "bad", "paper"].map((name) => [name, colour(name)]),
  );

  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat("en");
  const units = {
    number: (value) => value.toFixed(3),
    share: (value) => `${(100 * value).toFixed(value > 0.99 && value < 1 ? 1 : 0)}%`,
    count: (value) => whole.format(value),
    latency: (value) => (value < 1000 ? `${Math.round(value)} µs` : `${(value / 1000).toFixed(1)} ms`),
  };
  const ticks = { ...units, number: (value) => value.toFixed(2), count: (value) => compact.format(value) };
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

  const styles = {
    low: () => ({ stroke: "transparent", width: 0, points: { show: false } }),
    high: () => ({ stroke: "transparent", width: 0, points: { show: false } }),
    line: (tone) => ({ stroke: tone.lead, width: 2.5, points: { show: false } }),
    faint: (tone) => ({ stroke: tone.soft, width: 1.5, points: { show: false } }),
    reference: (tone) => ({ stroke: tone.soft, width: 1.75, dash: [6, 5], points: { show: false }, paths: uPlot.paths.stepped({ align: -1 }) }),
    points: (tone) => ({ stroke: tone.watch, width: 0, paths: () => null, points: { show: true, size: 9, width: 2, stroke: tone.watch, fill: tone.paper } }),
  };

  const marks = (figures, tone) => (plot) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textAlign = "left";
    let lastRight = -Infinity;
    let level = 0;
    for (const mark of figures.marks) {
      const x = Math.round(plot.valToPos(mark.at, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      const hue = { good: tone.good, bad: tone.bad, watch: tone.watch }[mark.tone] || tone.soft;
      ctx.strokeStyle = hue;
      ctx.lineWidth = ratio;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const width = ctx.measureText(mark.label).width;
      const right = x + 5 * ratio + width < bbox.left + bbox.width;
      const left = right ? x + 5 * ratio : x - 5 * ratio - width;
      level = left < lastRight + 8 * ratio ? level + 1 : 0;
      lastRight = left + width;
      ctx.fillStyle = hue;
      ctx.textBaseline = "top";
      ctx.fillText(mark.label, left, bbox.top + (2 + 15 * level) * ratio);
    }
    ctx.restore();
  };

  const keys = (figures) => {
    const row = document.createElement("div");
    row.className = "keys";
    const key = (text, tone, shape) => {
      const item = document.createElement("span");
      const swatch = document.createElement("i");
      item.className = tone;
      swatch.className = shape;
      const value = document.createElement("b");
      item.append(swatch, `${text} `, value);
      row.append(item);
      return value;
    };
    const time = document.createElement("b");
    const values = figures.series.map((one) => {
      if (one.role === "low") return null;
      if (one.role === "high") return key("range luck allows", "soft", "band");
      if (one.role === "reference") return key(one.label, "soft", "dash");
      if (one.role === "points") return key(one.label, "watch", "dot");
      return key(one.label, one.role === "faint" ? "soft" : "lead", "");
    });
    row.append(time);
    const show = (at) => {
      time.textContent = at == null ? "" : `window to ${day.format(new Date(1000 * figures.times[at] - 1000))}`;
      values.forEach((value, place) => {
        if (!value) return;
        const found = at == null ? null : figures.series[place].values[at];
        const low = figures.series[place].role === "high" && at != null ? figures.series[place - 1].values[at] : null;
        const text = found == null ? "" : units[figures.unit](found);
        value.textContent = low == null || found == null ? text : `${units[figures.unit](low)} to ${text}`;
      });
    };
    return { row, show };
  };

  const build = (holder) => {
    const source = document.getElementById(`figures-${holder.dataset.chart}`);
    if (!source) return;
    const figures = JSON.parse(source.textContent);
    if (figures.times.length < 2) { holder.closest("figure")?.classList.add("few"); return; }
    drawn.get(holder)?.destroy();
    holder.replaceChildren();
    const tone = palette();
    const { row, show } = keys(figures);
    holder.append(row);
    const size = () => ({ width: Math.max(200, Math.floor(holder.clientWidth)), height: holder.classList.contains("low") ? 170 : innerWidth < 640 ? 200 : 270 });
    const low = figures.series.findIndex((one) => one.role === "low");
    const axis = { stroke: tone.soft, grid: { stroke: tone.rule, width: 1 }, ticks: { show: false }, font: `12px ${getComputedStyle(document.body).fontFamily}` };
    const span = (plot, min, max) => {
      const room = (max - min) * 0.08 || Math.abs(max) * 0.05 || 1;
      return [figures.zero ? 0 : min - room, max + 1.6 * room];
    };
    const plot = new uPlot({
      ...size(),
      tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"),
      padding: [6, 4, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      legend: { show: false },
      scales: { x: { time: true }, y: { range: span } },
      bands: low < 0 ? [] : [{ series: [low + 2, low + 1], fill: tone["lead-wash"] }],
      axes: [
        { ...axis, grid: { show: false }, size: 28, gap: 8, space: 64, values: (_, splits) => splits.map((at) => { const date = new Date(1000 * at); return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }); }) },
        { ...axis, size: 52, space: 42, values: (_, splits) => splits.map(ticks[figures.unit]) },
      ],
      series: [{}, ...figures.series.map((one) => ({ label: one.label, spanGaps: false, ...styles[one.role](tone) }))],
      hooks: {
        draw: [marks(figures, tone)],
        setCursor: [(it) => show(it.cursor.idx)],
      },
    }, [figures.times, ...figures.series.map((one) => one.values)], holder);
    show(null);
    drawn.set(holder, plot);
    if (!holder.dataset.sized) {
      holder.dataset.sized = "yes";
      let width = holder.clientWidth;
      new ResizeObserver(() => {
        if (holder.clientWidth === width) return;
        width = holder.clientWidth;
        drawn.get(holder)?.setSize(size());
      }).observe(holder);
    }
  };

  const all = () => {
    for (const holder of drawn.keys()) if (!holder.isConnected) drawn.delete(holder);
    document.querySelectorAll(".plot[data-chart]").forEach(build);
  };
  addEventListener("DOMContentLoaded", all);
  document.addEventListener("theme", all);
  document.addEventListener("htmx:afterSettle", (event) => event.detail.elt.querySelectorAll?.(".plot[data-chart]").forEach(build));
})();
