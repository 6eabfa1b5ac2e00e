#include "qctl/page.h"

#include <algorithm>

#include "qctl/display.h"
#include "qctl/plot.h"

namespace qctl {
namespace {

constexpr std::size_t kPieces = 96, kNames = 12;

// Colours that people who see few of them can tell apart; the lines differ in their dashes too.
constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ground:#fff;--text:#1b1f24;--faint:#59636e;--grid:#d8dee4;--card:#f6f8fa;--a:#0b62c4;--b:#b35c00;--c:#b3124b}
@media (prefers-color-scheme:dark){:root{--ground:#0f1318;--text:#e6edf3;--faint:#9aa6b2;--grid:#2c343d;--card:#171d24;--a:#6cb0ff;--b:#f0a04b;--c:#ff7b9c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--ground);color:var(--text);font:1rem/1.45 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.2rem 0}
h2{font-size:1.05rem;margin:0 0 .4rem}
p{margin:.3rem 0}
.faint{color:var(--faint);overflow-wrap:anywhere}
.facts{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:1rem 0;padding:0;list-style:none}
.facts b{display:block;font-size:1.4rem;font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem}
section{background:var(--card);border:1px solid var(--grid);border-radius:.5rem;padding:.8rem;min-width:0}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--text);font:13px system-ui,sans-serif}
.grid{stroke:var(--grid)}
.line{fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
path.a{stroke:var(--a)}path.b{stroke:var(--b);stroke-dasharray:6 4}path.c{stroke:var(--c);stroke-dasharray:1 4}
rect.a{fill:var(--a)}rect.b{fill:var(--b)}rect.c{fill:var(--c)}
.key{display:inline-block;width:.8em;height:.8em;border-radius:.15em;margin:0 .3em 0 0}
.legend{font-size:.9rem}
span.a{background:var(--a)}span.b{background:var(--b)}span.c{background:var(--c)}
.key:not(:first-child){margin-left:1em}
.numbers{max-height:20rem;overflow:auto}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
th,td{padding:.15rem .6rem .15rem 0;text-align:right}
th:first-child{text-align:left;overflow-wrap:anywhere}
summary{cursor:pointer;color:var(--faint);font-size:.9rem;margin-top:.4rem}
)";

std::string section(const Plot& plot, std::string (*draw)(const Plot&), std::string_view label_title) {
  return "<section><h2>" + escaped(plot.title) + "</h2>" + draw(plot) + table_of(plot, label_title) + "</section>\n";
}

std::string count_text(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ' ');
  return digits;
}

std::string fact(const std::string& value, std::string_view name) { return "<li><b>" + escaped(value) + "</b> " + escaped(name) + "</li>"; }

// Of a piece: with the day only when that changes.
std::vector<std::string> time_labels(const MailHistory& history, std::size_t count) {
  std::vector<std::string> labels;
  const bool has_days = history.piece() * static_cast<std::int64_t>(count) > std::chrono::hours(24);
  const bool has_seconds = history.piece() < std::chrono::minutes(1);
  for (std::size_t i = 0; i < count; ++i) {
    const auto text = base::to_rfc3339(history.begin() + history.piece() * static_cast<std::int64_t>(i));
    const std::string clock = text.substr(11, has_seconds ? 8 : 5);
    labels.push_back(history.piece() >= std::chrono::hours(24) ? text.substr(0, 10) : has_days ? text.substr(5, 5) + " " + clock : clock);
  }
  return labels;
}

Plot over_time(std::string id, std::string title, std::string description, const std::vector<std::string>& labels) {
  return {.id = std::move(id), .title = std::move(title), .description = std::move(description), .unit = {}, .labels = labels, .series = {}};
}

template <class Value>
Series series(std::string name, std::string style, const std::vector<Piece>& pieces, const Value& value) {
  Series out{std::move(name), std::move(style), {}};
  for (const auto& piece : pieces) out.values.push_back(static_cast<double>(value(piece)));
  return out;
}

std::string plots_over_time(MailHistory& history) {
  const auto pieces = history.pieces(kPieces);
  const auto labels = time_labels(history, pieces.size());
  const double minutes = std::chrono::duration<double, std::ratio<60>>(history.piece()).count();
  const std::string each = "in pieces of " + human_duration(history.piece());
  std::string out;

  Plot throughput = over_time("throughput", "Mail a minute", "Messages taken from clients and recipients served, a minute, over the time of the log, " + each, labels);
  throughput.series = {series("messages taken", "a", pieces, [&](const Piece& piece) { return static_cast<double>(piece.accepted) / minutes; }),
                       series("recipients served", "b", pieces, [&](const Piece& piece) { return static_cast<double>(piece.results[0]) / minutes; })};
  out += section(throughput, line_plot, "Time (UTC)");

  Plot results = over_time("results", "Attempts that did not deliver", "Attempts for recipients that were put off or failed for good, " + each, labels);
  results.series = {series("put off", "b", pieces, [](const Piece& piece) { return piece.results[1]; }), series("failed", "c", pieces, [](const Piece& piece) { return piece.results[2]; })};
  out += section(results, column_plot, "Time (UTC)");

  Plot delays = over_time("delays", "From arrival to delivery", "How long messages took that were delivered: median, 90th and 99th percentile, on a logarithmic scale, " + each, labels);
  delays.series = {series("median", "a", pieces, [](const Piece& piece) { return piece.delays[0]; }), series("90 %", "b", pieces, [](const Piece& piece) { return piece.delays[1]; }),
                   series("99 %", "c", pieces, [](const Piece& piece) { return piece.delays[2]; })};
  return out + section(delays, duration_plot, "Time (UTC), seconds");
}

Plot by_name(std::string id, std::string title, std::string description, const std::vector<Named>& names) {
  constexpr std::size_t kLabelOctets = 300;
  Plot plot = over_time(std::move(id), std::move(title), std::move(description), {});
  plot.series = {{"sent", "a", {}}, {"put off", "b", {}}, {"failed", "c", {}}};
  for (const auto& each : names) {
    plot.labels.push_back(fitted(printable_text(each.name, true), kLabelOctets, true));
    for (std::size_t i = 0; i < kOutcomes; ++i) plot.series[i].values.push_back(static_cast<double>(each.results[i]));
  }
  return plot;
}

std::string plots_by_name(const MailHistory& history) {
  std::string out;
  if (const auto destinations = history.destinations(kNames); !destinations.empty())
    out += section(by_name("destinations", "Destinations", "The destinations with most attempts, and how these ended", destinations), bar_plot, "Destination");
  if (const auto reasons = history.reasons(kNames); !reasons.empty()) {
    auto plot = by_name("reasons", "Why attempts failed", "The replies that put off or refused most recipients", reasons);
    plot.series.erase(plot.series.begin());
    out += section(plot, bar_plot, "Reply");
  }
  return out;
}

std::string plots_of_spool(const std::vector<QueueCount>& queues) {
  Plot sizes = over_time("queues", "Messages in the queues now", "How many messages are in each queue", {});
  Plot ages = over_time("ages", "Their ages", "Messages of all queues by their age in minutes: each column has those younger than its number, the last one all others", {});
  sizes.series = {{"messages", "a", {}}};
  ages.series = {{"waiting", "a", {}}, {"set aside or dead", "b", {}}};
  for (auto& series : ages.series) series.values.resize(kAgeColumns);
  for (std::size_t column = 0; column < kAgeColumns; ++column) ages.labels.push_back(age_title(column));
  for (const auto& queue : queues) {
    sizes.labels.push_back(queue.place.folder());
    sizes.series[0].values.push_back(static_cast<double>(queue.messages));
    const bool waits = queue.place.state < queue::State::Hold;
    for (std::size_t column = 0; column < kAgeColumns; ++column) ages.series[waits ? 0 : 1].values[column] += static_cast<double>(queue.ages.by_age[column]);
  }
  return section(sizes, bar_plot, "Queue") + section(ages, column_plot, "Minutes");
}

std::string facts_of(const MailHistory& history, const std::vector<QueueCount>& queues) {
  std::uint64_t waiting = 0;
  for (const auto& queue : queues) waiting += queue.place.state < queue::State::Hold ? queue.messages : 0;
  const auto results = history.results();
  std::string out = "<ul class=\"facts\">";
  if (history.lines() > 0)
    out += fact(count_text(history.accepted()), "messages taken") + fact(human_octets(history.octets()), "octets taken") + fact(count_text(results[0]), "recipients served") +
           fact(count_text(results[1]), "attempts put off") + fact(count_text(results[2]), "failed");
  return out + fact(count_text(waiting), "messages wait now") + "</ul>\n";
}

}  // namespace

std::string page_of(const PageFacts& facts, MailHistory& history, const std::vector<QueueCount>& queues) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n";
  out += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n<title>" + escaped(facts.title) + "</title>\n<style>";
  out.append(kStyle).append("</style>\n</head>\n<body>\n<main>\n");
  const auto plots = history.lines() > 0 ? plots_over_time(history) + plots_by_name(history) : std::string();
  out += "<h1>" + escaped(facts.title) + "</h1>\n<p class=\"faint\">" + escaped(base::to_rfc3339(facts.now).substr(0, 16)) + " UTC, spool " + escaped(facts.spool);
  out += facts.is_served ? "" : ", which no queue-run serves";
  out += history.lines() > 0 ? ", log from " + escaped(base::to_rfc3339(history.begin()).substr(0, 16)) + " UTC" : ", without log lines";
  out += "</p>\n" + facts_of(history, queues) + "<div class=\"plots\">\n" + plots + plots_of_spool(queues);
  return out + "</div>\n</main>\n</body>\n</html>\n";
}

}  // namespace qctl
