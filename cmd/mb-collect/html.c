/* SPDX-License-Identifier: MIT
 *
 * --html: the report, one file that needs nothing from anywhere.
 */
#include <stdio.h>
#include <time.h>

#include "collect.h"
#include "html.h"

/* The colours of charts are those of --plot (plot_marks.c), and on a dark ground the light ones of the same palette. */
static const char style[] =
	":root{color-scheme:light dark;--ground:#fff;--panel:#f6f7f9;--ink:#1c1f24;--soft:#5b6470;--rule:#d9dde3;"
	"--good:#0072b2;--breaks:#d55e00;--failed:#6b6b6b}\n"
	"@media(prefers-color-scheme:dark){:root{--ground:#14171b;--panel:#1d2127;--ink:#e8eaed;--soft:#a0a8b3;"
	"--rule:#363c45;--good:#56b4e9;--breaks:#e69f00;--failed:#9a9a9a}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;padding:1.5rem;max-width:84rem;background:var(--ground);color:var(--ink);"
	"font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
	"h1{margin:0;font-size:1.7rem}h2{margin:2rem 0 .6rem;font-size:1.15rem}\n"
	"p{margin:.4rem 0;color:var(--soft)}p.sum{color:var(--ink);font-size:1.05rem}\n"
	"ul.tiles{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0 0;padding:0;list-style:none}\n"
	".tiles li{padding:.5rem 1rem;border-radius:.5rem;background:var(--panel);color:var(--soft);font-size:.85rem}\n"
	".tiles b{display:block;color:var(--ink);font-size:1.3rem;font-variant-numeric:tabular-nums}\n"
	"figure{margin:0;padding:.75rem;border-radius:.5rem;background:var(--panel)}\n"
	"figure.many{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:.75rem}\n"
	"figure.half svg{max-width:46rem}\n"
	"figure.many figcaption{grid-column:1/-1}\n"
	"figcaption{display:flex;flex-wrap:wrap;gap:1.25rem;padding:.25rem .5rem;color:var(--soft);font-size:.85rem}\n"
	".key::before{content:'';display:inline-block;width:.7em;height:.7em;margin-right:.45em;border-radius:50%;"
	"background:currentColor}\n"
	".key.good::before{color:var(--good)}\n"
	".key.breaks::before{color:var(--breaks);border-radius:0;clip-path:polygon(50% 0,100% 100%,0 100%)}\n"
	".key.failed::before{content:'\\00d7';background:none;color:var(--failed);font-weight:bold;height:auto}\n"
	".key.ring::before{background:none;border:2px solid var(--ink)}\n"
	".key.best::before{width:1.6em;height:2px;border-radius:0;vertical-align:middle;color:var(--ink)}\n"
	"svg{display:block;width:100%;height:auto}\n"
	"svg text{fill:var(--soft);font-size:11px}text.axis{text-anchor:middle;fill:var(--ink);font-size:12px}\n"
	"text.tic{text-anchor:middle}text.end{text-anchor:end}\n"
	"path.grid{stroke:var(--rule);fill:none}path.frame{stroke:var(--soft);fill:none}\n"
	"circle.good{fill:var(--good);fill-opacity:.8}path.breaks{fill:var(--breaks)}\n"
	"path.failed{stroke:var(--failed);stroke-width:1.6;fill:none}\n"
	"circle.ring{fill:none;stroke:var(--ink);stroke-width:2}\n"
	"path.line{fill:none;stroke:var(--ink);stroke-width:2}\n"
	"path.line.good{stroke:var(--good);stroke-width:1;stroke-opacity:.6}\n"
	"path.line.breaks{stroke:var(--breaks);stroke-width:1;stroke-dasharray:5 3;fill:none}\n"
	"path.line.failed{stroke:var(--failed);stroke-width:1;stroke-dasharray:2 3}\n"
	".wide{overflow-x:auto}.tall{max-height:40rem;overflow-y:auto}\n"
	"table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.28rem .7rem;border-bottom:1px solid var(--rule);text-align:left;white-space:nowrap;vertical-align:top}\n"
	"thead th{position:sticky;top:0;background:var(--panel);color:var(--soft);font-weight:600}\n"
	"td.n{text-align:right}td:last-child{white-space:normal}\n"
	"td.failed{color:var(--breaks)}td.open,td.interrupted{color:var(--soft)}\n"
	"td.share{min-width:14rem}td.share i{display:inline-block;height:.7em;background:var(--good)}\n"
	".sorts thead th{cursor:pointer}\n"
	"@media print{.tall{max-height:none}body{max-width:none}}\n";

/* Sorts a table by the column that was clicked, again for the reverse; without it the table is in the order of the log. */
static const char script[] =
	"for(const h of document.querySelectorAll('.sorts thead th'))h.onclick=()=>{"
	"const b=h.closest('table').tBodies[0],i=h.cellIndex,d=h.dataset.d=h.dataset.d==='1'?'-1':'1',"
	"k=r=>{const t=r.cells[i].title||r.cells[i].textContent;return t===''?null:isNaN(t)?t:+t};"
	"b.append(...[...b.rows].sort((p,q)=>{const x=k(p),y=k(q);if(x===null||y===null)return(x===null)-(y===null);"
	"return d*(typeof x==='number'&&typeof y==='number'?x-y:String(x).localeCompare(String(y)))}))};";

static void add_tile(const char *number, const char *name, struct mb_str *page)
{
	mb_str_adds(page, "<li><b>");
	xml_add(page, number);
	mb_str_adds(page, "</b>");
	xml_add(page, name);
	mb_str_adds(page, "</li>");
}

static void add_count(size_t n, const char *name, struct mb_str *page)
{
	char text[32];

	snprintf(text, sizeof text, "%zu", n);
	add_tile(text, name, page);
}

static void add_tiles(const struct chart *chart, const char *finished, struct mb_str *page)
{
	const struct mb_ranking *ranking = &chart->ranking;
	size_t counts[4] = {0};

	for (size_t i = 0; i < chart->log->n_keys; i++)
		counts[chart->log->keys[i].status]++;
	mb_str_adds(page, "<ul class=\"tiles\">");
	add_tile(finished, "observations", page);
	if (ranking->front && chart->n_objectives == 1) {
		char value[MB_NUM_TEXT];

		snprintf(value, sizeof value, "%.6g",
			 mb_record_metric(ranking->keys[0]->result, chart->objectives[0]->name));
		add_tile(value, chart->objectives[0]->name, page);
	}
	add_count(counts[MB_STATUS_COMPLETED], "completed", page);
	if (mb_experiment_count(chart->experiment, MB_STRATEGY_CONSTRAINT))
		add_count(ranking->feasible, "keep the constraints", page);
	add_count(counts[MB_STATUS_FAILED], "failed", page);
	if (counts[MB_STATUS_OPEN] + counts[MB_STATUS_INTERRUPTED])
		add_count(counts[MB_STATUS_OPEN] + counts[MB_STATUS_INTERRUPTED], "open", page);
	mb_str_adds(page, "</ul>\n");
}

/* As mb-collect closes: how far, and the best. */
static void add_summary(const struct chart *chart, const char *finished, const char *budget, struct mb_str *page)
{
	const struct mb_ranking *ranking = &chart->ranking;
	struct mb_str line = {0};

	mb_str_addf(&line, "%s of %s observations", finished, budget);
	if (chart->counts[CHART_FAILED])
		mb_str_addf(&line, ", %zu failed", chart->counts[CHART_FAILED]);
	if (ranking->n && !ranking->feasible)
		mb_str_adds(&line, ", none keeps the constraints yet");
	else if (ranking->front && chart->n_objectives > 1)
		mb_str_addf(&line, ", a front of %zu, hypervolume %.5g", ranking->front, ranking->hypervolume);
	else if (ranking->front)
		mb_str_addf(&line, ", best %s %.5g (trial %lld)", chart->objectives[0]->name,
			    mb_record_metric(ranking->keys[0]->result, chart->objectives[0]->name),
			    (long long)ranking->keys[0]->trial);
	mb_str_adds(page, "<p class=\"sum\">");
	xml_add(page, line.at);
	mb_str_adds(page, "</p>");
	mb_str_release(&line);
}

/* The time of the last result: so the same log gives the same report. */
static void add_time(const struct mb_log *log, struct mb_str *page)
{
	double last = 0;
	time_t seconds;
	struct tm utc;
	char text[64];

	for (size_t i = 0; i < log->n_keys; i++) {
		double end = mb_record_last_span(log->keys[i].result, NULL, NULL);

		last = end > last ? end : last;
	}
	seconds = (time_t)last;
	if (last > 0 && gmtime_r(&seconds, &utc) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc))
		mb_str_addf(page, "<p>Last result %s.</p>", text);
}

static void add_head(const struct chart *chart, struct mb_str *page)
{
	struct mb_ladder ladder = mb_ladder_of(chart->experiment);
	struct mb_spending spending = mb_ladder_spending(&ladder, chart->log);
	struct mb_str finished = {0}, budget = {0};

	mb_ladder_text(&ladder, spending.finished, &finished);
	mb_ladder_text(&ladder, spending.budget, &budget);
	mb_str_adds(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
			  "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
			  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>");
	xml_add(page, chart->experiment->name);
	mb_str_addf(page, "</title>\n<style>\n%s</style></head>\n<body>\n<header><h1>", style);
	xml_add(page, chart->experiment->name);
	mb_str_adds(page, "</h1>");
	add_summary(chart, finished.at, budget.at, page);
	add_time(chart->log, page);
	add_tiles(chart, finished.at, page);
	mb_str_adds(page, "</header>\n");
	mb_str_release(&finished);
	mb_str_release(&budget);
}

int collect_html(struct collect *collect, const char *path)
{
	struct mb_str page = {0};
	struct chart chart;
	struct mb_log log;
	struct mb_err err;
	int status = collect_open_log(collect, &log);

	if (status)
		return status;
	chart_init(&chart, collect->experiment, &log);
	add_head(&chart, &page);
	html_best(&chart, &page);
	html_front(&chart, &page);
	html_history(&chart, &page);
	html_slices(&chart, &page);
	html_importance(&chart, &page);
	html_curves(&chart, &page);
	html_failures(&chart, &page);
	html_phases(&chart, &page);
	html_metrics(&chart, &page);
	html_space(&chart, &page);
	html_trials(&chart, &page);
	mb_str_addf(&page, "<script>%s</script>\n</body></html>\n", script);
	if (mb_file_replace(path, page.at, page.n, 0, &err) < 0)
		status = mb_tool_fail(collect->tool, &err);
	chart_release(&chart);
	mb_str_release(&page);
	mb_log_close(&log);
	return status;
}
