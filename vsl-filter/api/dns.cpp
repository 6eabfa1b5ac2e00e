// Questions to DNS (vsl.md 3.8).
#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/net/dns_sections.h"
#include "lib/net/dns_shared.h"
#include "lib/net/domain_name.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/authentication.h"
#include "vsl-filter/api/ip.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/services/facilities.h"
#include "vsl-filter/services/service.h"

namespace rules {

using net::dns::Answer;
using DnsStatus = net::dns::Status;
using net::dns::Type;
using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

// Whom a function asks: what the site asks by, or a resolver that a script has made with dns::resolver().
struct Asker {
  Run& run;
  net::dns::SharedResolver* resolver = nullptr;

  [[nodiscard]] Answer ask(const std::string& name, Type type) const {
    if (resolver == nullptr) return look_up_of(run)(name, type);
    const Waiting waiting(run);
    return resolver->resolve(name, type);
  }
};

bool has_failed(const Answer& answer) { return answer.status == DnsStatus::Temporary || answer.status == DnsStatus::Bogus; }

std::unexpected<vsl::Failure> not_resolved(const Answer& answer) { return vsl::fail_api("DNS: " + answer.problem); }
std::unexpected<vsl::Failure> no_such_name(std::string_view name) { return vsl::fail_api("DNS: no such name: '" + std::string(name) + "'"); }

// A dot at the end changes nothing: names are always absolute here.
Expected<std::string> name_for_dns(const Value& value) {
  std::string name = name_argument(value);
  if (name.ends_with('.')) name.pop_back();
  auto ascii = net::to_a_labels(name);
  if (!ascii || name.empty()) return vsl::fail_api("invalid type conversion expected: `domain name`, but got: `'" + name + "'`");
  return *std::move(ascii);
}

Expected<Ip> ip_argument(const Value& value) {
  const std::string text = name_argument(value);
  if (const auto ip = Ip::parse(text)) return *ip;
  return vsl::fail_api("invalid type conversion expected: `ip address`, but got: `'" + text + "'`");
}

Value array_of(Run& run, const std::vector<std::string>& texts) {
  Value array = run.heap().array(texts.size());
  for (const auto& text : texts) array.array_for_write(run.heap()).push(run.string(text));
  return array;
}

// A and AAAA.
Expected<std::vector<std::string>> addresses_of(const Asker& asker, const std::string& name) {
  const Answer a = asker.ask(name, Type::A);
  if (a.status == DnsStatus::NoName) return no_such_name(name);
  const Answer aaaa = asker.ask(name, Type::Aaaa);
  std::vector<std::string> found = a.addresses();
  for (auto& address : aaaa.addresses()) found.push_back(std::move(address));
  if (!found.empty()) return found;
  for (const Answer* answer : {&a, &aaaa})
    if (has_failed(*answer)) return not_resolved(*answer);
  return no_such_name(name);
}

// An address is its own.
Result lookup(const Asker& asker, Arguments a) {
  if (const auto ip = Ip::parse(name_argument(a[0]))) return array_of(asker.run, {ip->text()});
  auto name = name_for_dns(a[0]);
  if (!name) return pass_on(name);
  auto found = addresses_of(asker, *name);
  if (!found) return pass_on(found);
  return array_of(asker.run, *found);
}

// 192.0.2.1 -> 1.2.0.192.in-addr.arpa, RFC 1035 section 3.5; IPv6 by digits, RFC 3596 section 2.5.
std::string reverse_name(const Ip& ip) {
  std::string name;
  if (!ip.is_v6) {
    for (unsigned shift = 0; shift < 32; shift += 8) name += std::to_string(ip.low >> shift & 255) + ".";
    return name + "in-addr.arpa";
  }
  for (const std::uint64_t half : {ip.low, ip.high})
    for (unsigned shift = 0; shift < 64; shift += 4) name += {"0123456789abcdef"[half >> shift & 15], '.'};
  return name + "ip6.arpa";
}

Result rlookup(const Asker& asker, Arguments a) {
  auto ip = ip_argument(a[0]);
  if (!ip) return pass_on(ip);
  const Answer answer = asker.ask(reverse_name(*ip), Type::Ptr);
  if (has_failed(answer)) return not_resolved(answer);
  const auto names = answer.names();
  if (names.empty()) return no_such_name(ip->text());
  return array_of(asker.run, names);
}

// What is not there is an empty array: no name or no records mean the same to who asks for TXT or MX.
Result txt(const Asker& asker, Arguments a) {
  auto name = name_for_dns(a[0]);
  if (!name) return pass_on(name);
  const Answer answer = asker.ask(*name, Type::Txt);
  if (has_failed(answer)) return not_resolved(answer);
  return array_of(asker.run, answer.texts());
}

Value array_of_hosts(Run& run, std::vector<net::dns::Mx> hosts) {
  Value array = run.heap().array(hosts.size());
  std::ranges::stable_sort(hosts, {}, &net::dns::Mx::preference);
  for (const auto& host : hosts) {
    Value map = run.heap().map();
    map.map_for_write(run.heap()).set("preference", Value(std::int64_t{host.preference}));
    map.map_for_write(run.heap()).set("exchange", run.string(host.host));
    array.array_for_write(run.heap()).push(std::move(map));
  }
  return array;
}

Result mx(const Asker& asker, Arguments a) {
  auto name = name_for_dns(a[0]);
  if (!name) return pass_on(name);
  const Answer answer = asker.ask(*name, Type::Mx);
  if (has_failed(answer)) return not_resolved(answer);
  return array_of_hosts(asker.run, answer.mx());
}

// lookup(name, type): each type as the function of its own gives it; but what is not there is an error, as lookup() has it.
struct RecordRow {
  std::string_view name;
  Type type;
  Value (*values)(Run& run, const Answer& answer);
};
constexpr auto kRecords = std::to_array<RecordRow>({
    {"A", Type::A, [](Run& run, const Answer& answer) { return array_of(run, answer.addresses()); }},
    {"AAAA", Type::Aaaa, [](Run& run, const Answer& answer) { return array_of(run, answer.addresses()); }},
    {"MX", Type::Mx, [](Run& run, const Answer& answer) { return array_of_hosts(run, answer.mx()); }},
    {"PTR", Type::Ptr, [](Run& run, const Answer& answer) { return array_of(run, answer.names()); }},
    {"TXT", Type::Txt, [](Run& run, const Answer& answer) { return array_of(run, answer.texts()); }},
});

std::unexpected<vsl::Failure> no_such_type(const std::string& type) {
  std::string known;
  for (const RecordRow& row : kRecords) known += (known.empty() ? "" : ", ") + std::string(row.name);
  return vsl::fail_api("'" + type + "' is no type of DNS records that can be looked up; there are: " + known);
}

Result lookup_records(const Asker& asker, Arguments a) {
  const std::string type = name_argument(a[1]);
  const auto row = std::ranges::find_if(kRecords, [&type](const RecordRow& record) { return base::text::equal_ignoring_case(record.name, type); });
  if (row == kRecords.end()) return no_such_type(type);
  const auto ip = row->type == Type::Ptr ? Ip::parse(name_argument(a[0])) : std::nullopt;
  auto name = ip ? Expected<std::string>(reverse_name(*ip)) : name_for_dns(a[0]);
  if (!name) return pass_on(name);
  const Answer answer = asker.ask(*name, row->type);
  if (has_failed(answer)) return not_resolved(answer);
  Value values = row->values(asker.run, answer);
  if (answer.status == DnsStatus::NoName) return no_such_name(*name);
  if (values.as_array().size() == 0) return vsl::fail_api("DNS: no " + std::string(row->name) + " records: '" + *name + "'");
  return values;
}

// One of the names of the address leads back to it. RFC 8601 section 2.7.3: at most ten names are tried.
Result ptr_valid(const Asker& asker, Arguments a) {
  constexpr std::size_t kMostNames = 10;
  auto ip = ip_argument(a[0]);
  if (!ip) return pass_on(ip);
  const Answer answer = asker.ask(reverse_name(*ip), Type::Ptr);
  if (has_failed(answer)) return not_resolved(answer);
  auto names = answer.names();
  if (names.size() > kMostNames) names.resize(kMostNames);
  for (const auto& name : names) {
    const Answer back = asker.ask(name, ip->is_v6 ? Type::Aaaa : Type::A);
    for (const auto& address : back.addresses())
      if (Ip::parse(address) == *ip) return true;
    if (has_failed(back)) return not_resolved(back);
  }
  return false;
}

// --- whom to ask ---

using Question = Result (*)(const Asker&, Arguments);

net::dns::Settings settings_for(Run& run) {
  const auto& settings = scene_of(run).site.settings;
  const auto domain = virtual_domain_of(run);
  return domain.empty() ? net::dns::settings_of(settings) : net::dns::settings_of_virtual(settings, domain);
}

template <Question kQuestion>
Result by_default(Run& run, Arguments a) {
  return kQuestion({run}, a);
}

// resolver.lookup(name)
template <Question kQuestion>
Result by_resolver(Run& run, Arguments a) {
  return kQuestion({run, &a[0].as_host().as<net::dns::SharedResolver>()}, a.subspan(1));
}

constexpr vsl::HostClass kResolverClass{.name = "resolver", .destroy = vsl::destroy_as<net::dns::SharedResolver>};

constexpr OptionRow kOptions[] = {
    {"servers", "server", OptionType::Words, false, "", "whom to ask: \"192.0.2.53\", \"192.0.2.53@5353\"; those of the configuration if not given"},
    {"timeout", "", OptionType::Duration, false, "", "how long to wait for an answer; that of the configuration if not given"},
};

// dns::resolver(#{servers: [...], timeout: "2s"})
Result make_resolver(Run& run, Arguments a) {
  auto options = ServiceOptions::read("dns::resolver", kOptions, a[0].as_map());
  if (!options) return pass_on(options);
  net::dns::Settings settings = settings_for(run);
  if (options->is_given("servers")) settings.servers = options->words("servers");
  if (options->is_given("timeout")) settings.timeout_milliseconds = static_cast<std::uint64_t>(options->duration("timeout").count());
  return run.heap().host(kResolverClass, new net::dns::SharedResolver(std::move(settings)));
}

Result make_standard_resolver(Run& run, Arguments) {
  return run.heap().host(kResolverClass, new net::dns::SharedResolver(settings_for(run)));
}

using enum vsl::Type;
constexpr ApiRow of_resolver(vsl::Native run, std::string_view name, vsl::Parameters parameters, std::string_view doc) {
  return {name, "", parameters, vsl::kMustUse | kNoHandle | kWaits, kEvery, run, nullptr, doc};
}

// Those of a resolver come first: the others take any value.
constexpr ApiRow kRows[] = {
    of_resolver(by_resolver<lookup>, "lookup", {kResolverClass, Any}, "the addresses of a host, asked of this resolver"),
    of_resolver(by_resolver<lookup_records>, "lookup", {kResolverClass, Any, Any}, "the records of a name and type, asked of this resolver"),
    of_resolver(by_resolver<rlookup>, "rlookup", {kResolverClass, Any}, "the names of an address, asked of this resolver"),
    of_resolver(by_resolver<txt>, "txt", {kResolverClass, Any}, "the TXT records of a name, asked of this resolver"),
    of_resolver(by_resolver<mx>, "mx", {kResolverClass, Any}, "the MX records of a domain, asked of this resolver"),
    of_resolver(by_resolver<ptr_valid>, "ptr_valid", {kResolverClass, Any}, "whether one of the names of an address leads back to it, asked of this resolver"),
    api<by_default<lookup>>("lookup", "dns::lookup", {Any}, kEvery, "the addresses of a host, IPv4 before IPv6; an error if there are none", vsl::kMustUse | kWaits),
    api<by_default<lookup_records>>("lookup", "dns::lookup", {Any, Any}, kEvery, "the records of a name and type: \"A\", \"AAAA\", \"MX\", \"PTR\", \"TXT\"", vsl::kMustUse | kWaits),
    api<by_default<rlookup>>("rlookup", "dns::rlookup", {Any}, kEvery, "the names of an address, without dot at the end; an error if there are none", vsl::kMustUse | kWaits),
    api<by_default<txt>>("dns::txt", "", {Any}, kEvery, "the TXT records of a name, an array of strings", vsl::kMustUse | kNoHandle | kWaits),
    api<by_default<mx>>("dns::mx", "", {Any}, kEvery, "the MX records of a domain, best first: an array of #{preference, exchange}", vsl::kMustUse | kNoHandle | kWaits),
    api<by_default<ptr_valid>>("dns::ptr_valid", "", {Any}, kEvery, "whether one of the names of an address leads back to it", vsl::kMustUse | kNoHandle | kWaits),
    api<make_standard_resolver>("dns::resolver", "", {}, kEvery, "a resolver as the configuration has it, with a cache of its own", vsl::kMustUse | kNoHandle | kAtLoad),
    api<make_resolver>("dns::resolver", "", {Map}, kEvery, "a resolver with other servers or another time limit: dns::resolver(#{servers: [\"192.0.2.53\"], timeout: \"2s\"})",
                       vsl::kMustUse | kNoHandle | kAtLoad),
};

}  // namespace

std::span<const ApiRow> dns_rows() { return kRows; }

}  // namespace rules
