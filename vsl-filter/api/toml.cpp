// The configuration as rules see it: toml:: of v1, cfg:: of v2, config:: of v3 (vsl.md 3.14). Each section under its own name, and at the places of
// vSMTP. Read-only; durations and paths are texts.
#include <algorithm>
#include <array>
#include <map>

#include "lib/base/text.h"
#include "lib/smtp/reply_texts.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/scene.h"

namespace rules {

using vsl::Heap;
using vsl::Value;

namespace {

// No key with one of these in its name is shown.
constexpr auto kSecret = std::to_array<std::string_view>({"password", "secret", "passphrase", "token"});

bool is_secret(std::string_view key) {
  return std::ranges::any_of(kSecret, [key](std::string_view word) { return key.find(word) != std::string_view::npos; });
}

Value list_of(Heap& heap, std::span<const std::string> words) {
  Value list = heap.array(words.size());
  for (const std::string& word : words) list.array_for_write(heap).push(heap.string(word));
  return list;
}

Value value_of_setting(Heap& heap, const base::Settings& settings, const base::Setting& row) {
  const std::string name = std::string(row.section) + "." + std::string(row.key);
  switch (row.kind) {
    case base::Kind::Flag: return settings.flag(name);
    case base::Kind::Count: return static_cast<std::int64_t>(settings.count(name));
    case base::Kind::Octets: return static_cast<std::int64_t>(settings.octets(name));
    case base::Kind::List:
    case base::Kind::Program: return list_of(heap, settings.words(name));
    case base::Kind::Text: case base::Kind::Lines: case base::Kind::Path: case base::Kind::Duration: case base::Kind::Choice: break;
  }
  return heap.string(settings.text(name));
}

// Where a key of vSMTP finds its value here: a setting of ours, else a fixed one, written as in the configuration.
struct Place {
  std::string_view path;     // behind toml::
  std::string_view setting;  // "smtp.rcpt_count_max"; empty: the fixed value
  std::string_view fixed;    // "5m", 16, [a b], () or true
};
constexpr auto kPlaces = std::to_array<Place>({
    {"server.client_count_max", "server.client_count_max", ""},
    {"server.system.user", "server.user", ""},
    {"server.system.group", "", "()"},
    {"server.system.group_local", "", "()"},
    {"server.system.thread_pool.receiver", "smtp.workers", ""},
    {"server.system.thread_pool.processing", "smtp.chain_process_max", ""},
    {"server.system.thread_pool.delivery", "queue.remote_concurrency", ""},
    {"server.interfaces.addr", "smtp.listen", ""},
    {"server.interfaces.addr_submission", "smtp.listen_submission", ""},
    {"server.interfaces.addr_submissions", "smtp.listen_submissions", ""},
    {"server.logs.filepath", "log.destination", ""},
    {"server.logs.level", "log.level", ""},
    {"server.smtp.rcpt_count_max", "smtp.rcpt_count_max", ""},
    {"server.smtp.disable_ehlo", "smtp.disable_ehlo", ""},
    {"server.smtp.required_extension", "", "[STARTTLS SMTPUTF8 8BITMIME AUTH]"},
    {"server.smtp.error.soft_count", "smtp.error_soft_count", ""},
    {"server.smtp.error.hard_count", "smtp.error_hard_count", ""},
    {"server.smtp.error.delay", "smtp.error_delay", ""},
    {"server.smtp.timeout_client.connect", "smtp.timeout_connect", ""},
    {"server.smtp.timeout_client.helo", "smtp.timeout_helo", ""},
    {"server.smtp.timeout_client.mail_from", "smtp.timeout_mail_from", ""},
    {"server.smtp.timeout_client.rcpt_to", "smtp.timeout_rcpt_to", ""},
    {"server.smtp.timeout_client.data", "smtp.timeout_data", ""},
    {"server.smtp.auth", "", "()"},
    {"server.queues.dirpath", "queue.spool", ""},
    {"server.queues.working.channel_size", "queue.messages_max", ""},
    {"server.queues.delivery.channel_size", "queue.messages_max", ""},
    {"server.queues.delivery.deferred_retry_max", "", "100"},
    {"server.queues.delivery.deferred_retry_period", "queue.retry_min", ""},
    {"server.tls", "", "()"},
    {"server.dkim.private_key", "", "()"},
    {"server.dns.type", "", "system"},
    {"server.dns.options.timeout", "", "5s"},
    {"server.dns.options.attempts", "", "2"},
    {"server.dns.options.rotate", "", "false"},
    {"server.dns.options.dnssec", "", "false"},
    {"server.dns.options.cache_size", "", "32"},
    {"server.dns.options.use_hosts_file", "", "true"},
    {"app.dirpath", "rules.app_directory", ""},
    {"app.vsl.filepath", "", "()"},
    {"app.logs.filepath", "log.destination", ""},
});

Value fixed_value(Heap& heap, std::string_view text) {
  if (text == "()") return {};
  if (text == "true" || text == "false") return text == "true";
  if (const auto number = base::text::parse_number<std::int64_t>(text)) return *number;
  if (!text.starts_with('[')) return heap.string(text);
  std::vector<std::string> words;
  for (const std::string_view word : base::text::split(text.substr(1, text.size() - 2), ' '))
    if (!word.empty()) words.emplace_back(word);
  return list_of(heap, words);
}

// Puts the value at "a.b.c" of the map, with maps on the way.
void set_at(Heap& heap, Value& map, std::string_view path, Value value) {
  const auto [key, rest] = base::text::split_once(path, '.');
  vsl::Map& members = map.map_for_write(heap);
  if (rest.empty()) return members.set(key, std::move(value));
  Value& member = members.at(heap.string(key));
  if (!member.is_map()) member = heap.map();
  set_at(heap, member, rest, std::move(value));
}

Value words_at(Heap& heap, const base::Settings& settings, const std::string& name) { return list_of(heap, settings.words(name)); }

// As vSMTP writes it: "May", "Encrypt".
Value tls_of(Heap& heap, const base::Settings& settings) {
  std::string level = settings.text("tls.security_level");
  level[0] = base::text::upper(level[0]);
  Value tls = heap.map();
  vsl::Map& members = tls.map_for_write(heap);
  members.set("security_level", heap.string(level));
  members.set("preempt_cipherlist", true);
  members.set("handshake_timeout", heap.string(settings.text("tls.handshake_timeout")));
  members.set("protocol_version", list_of(heap, std::vector<std::string>{"TLSv1.2", "TLSv1.3"}));
  for (const auto* name : {"cipher_suite", "certificate", "private_key"}) members.set(name, words_at(heap, settings, std::string("tls.") + name));
  return tls;
}

// Own domains, as keys of server.virtual.
Value virtual_domains(Heap& heap, const base::Settings& settings) {
  Value domains = heap.map();
  for (const std::string& domain : settings.words("delivery.local_domains"))
    if (domain != "*" && !domain.starts_with('.')) domains.map_for_write(heap).set(domain, heap.map());
  for (const std::string& domain : settings.names("virtual")) {
    Value tls = heap.map(), section = heap.map();
    for (const auto* name : {"certificate", "private_key"}) tls.map_for_write(heap).set(name, words_at(heap, settings, base::Settings::named("virtual", domain, name)));
    section.map_for_write(heap).set("tls", std::move(tls));
    for (const auto* name : {"address", "relay_domains"}) section.map_for_write(heap).set(name, words_at(heap, settings, base::Settings::named("virtual", domain, name)));
    for (const auto* name : {"hostname", "greeting"}) section.map_for_write(heap).set(name, heap.string(settings.text(base::Settings::named("virtual", domain, name))));
    domains.map_for_write(heap).set(domain, std::move(section));
  }
  return domains;
}

constexpr std::string_view kReplies = "smtp.codes";

// All replies that have a name, with their texts.
Value replies(Heap& heap, const base::Settings& settings) {
  Value all = heap.map();
  for (const auto& [name, standard] : smtp::ReplyTexts::names()) {
    const std::string setting = std::string(kReplies) + "." + std::string(name);
    all.map_for_write(heap).set(name, heap.string(settings.is_given(setting) ? settings.text(setting) : standard));
  }
  return all;
}

Value configuration(Heap& heap, const Site& site) {
  Value all = heap.map();
  for (const Place& place : kPlaces) {
    const base::Setting* setting = place.setting.empty() ? nullptr : base::find_setting(place.setting);
    set_at(heap, all, place.path, setting == nullptr ? fixed_value(heap, place.fixed) : value_of_setting(heap, site.settings, *setting));
  }
  for (const base::Setting& row : base::all_settings()) {
    if (base::is_named_section(row.section) || row.section == kReplies) continue;  // in server.virtual and server.smtp.codes
    if (!is_secret(row.key)) set_at(heap, all, std::string(row.section) + "." + std::string(row.key), value_of_setting(heap, site.settings, row));
  }
  if (site.settings.is_given("smtp.required_extension")) set_at(heap, all, "server.smtp.required_extension", words_at(heap, site.settings, "smtp.required_extension"));
  set_at(heap, all, "rules.user", heap.map());
  for (const auto& [key, value] : site.settings.free_values()) set_at(heap, all, "rules.user." + key, heap.string(value));
  set_at(heap, all, "server.domain", heap.string(site.domain));
  set_at(heap, all, "server.name", heap.string(site.domain));  // v2
  for (const auto* place : {"smtp.codes", "server.smtp.codes"}) set_at(heap, all, place, replies(heap, site.settings));
  set_at(heap, all, "server.virtual", virtual_domains(heap, site.settings));
  if (!site.settings.words("tls.certificate").empty()) set_at(heap, all, "server.tls", tls_of(heap, site.settings));
  return all;
}

constexpr auto kSpaces = std::to_array<std::string_view>({"toml", "cfg", "config"});

}  // namespace

void add_configuration(vsl::Natives& natives, const Site& site) {
  natives.add_constants_later(kSpaces, [&site](Heap& heap, const vsl::Natives::AddConstant& add) {
    const Value all = configuration(heap, site);
    for (const vsl::Map::Entry& entry : all.as_map().entries())
      for (const std::string_view space : kSpaces) add(space, entry.key.as_text(), entry.value);
  });
}

}  // namespace rules
