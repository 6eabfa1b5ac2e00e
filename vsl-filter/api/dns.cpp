// Questions to DNS (vsl.md 3.8).
#include <algorithm>

#include "lib/net/dns_shared.h"
#include "lib/net/domain_name.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/ip.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/services/facilities.h"
#include "vsl-filter/services/service.h"

namespace rules {

using net::dns::Answer;
using net::dns::Status;
using net::dns::Type;
using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Answer ask(Run& run, const std::string& name, Type type) {
  const Site& site = scene_of(run).site;
  const Waiting waiting(run);
  return site.facilities->resolver(site.settings).resolve(name, type);
}

bool has_failed(const Answer& answer) { return answer.status == Status::Temporary || answer.status == Status::Bogus; }

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

// A and AAAA; an address is its own.
Expected<std::vector<std::string>> addresses_of(Run& run, const std::string& name) {
  if (const auto ip = Ip::parse(name)) return std::vector<std::string>{ip->text()};
  const Answer a = ask(run, name, Type::A);
  if (a.status == Status::NoName) return no_such_name(name);
  const Answer aaaa = ask(run, name, Type::Aaaa);
  std::vector<std::string> found = a.addresses();
  for (auto& address : aaaa.addresses()) found.push_back(std::move(address));
  if (!found.empty()) return found;
  for (const Answer* answer : {&a, &aaaa})
    if (has_failed(*answer)) return not_resolved(*answer);
  return no_such_name(name);
}

Result lookup(Run& run, Arguments a) {
  if (const auto ip = Ip::parse(name_argument(a[0]))) return array_of(run, {ip->text()});
  auto name = name_for_dns(a[0]);
  if (!name) return pass_on(name);
  auto found = addresses_of(run, *name);
  if (!found) return pass_on(found);
  return array_of(run, *found);
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

Result rlookup(Run& run, Arguments a) {
  auto ip = ip_argument(a[0]);
  if (!ip) return pass_on(ip);
  const Answer answer = ask(run, reverse_name(*ip), Type::Ptr);
  if (has_failed(answer)) return not_resolved(answer);
  const auto names = answer.names();
  if (names.empty()) return no_such_name(ip->text());
  return array_of(run, names);
}

// What is not there is an empty array: no name or no records mean the same to who asks for TXT or MX.
Result txt(Run& run, Arguments a) {
  auto name = name_for_dns(a[0]);
  if (!name) return pass_on(name);
  const Answer answer = ask(run, *name, Type::Txt);
  if (has_failed(answer)) return not_resolved(answer);
  return array_of(run, answer.texts());
}

Result mx(Run& run, Arguments a) {
  auto name = name_for_dns(a[0]);
  if (!name) return pass_on(name);
  const Answer answer = ask(run, *name, Type::Mx);
  if (has_failed(answer)) return not_resolved(answer);
  Value array = run.heap().array();
  auto hosts = answer.mx();
  std::ranges::stable_sort(hosts, {}, &net::dns::Mx::preference);
  for (const auto& host : hosts) {
    Value map = run.heap().map();
    map.map_for_write(run.heap()).set("preference", Value(std::int64_t{host.preference}));
    map.map_for_write(run.heap()).set("exchange", run.string(host.host));
    array.array_for_write(run.heap()).push(std::move(map));
  }
  return array;
}

// One of the names of the address leads back to it. RFC 8601 section 2.7.3: at most ten names are tried.
Result ptr_valid(Run& run, Arguments a) {
  constexpr std::size_t kMostNames = 10;
  auto ip = ip_argument(a[0]);
  if (!ip) return pass_on(ip);
  const Answer answer = ask(run, reverse_name(*ip), Type::Ptr);
  if (has_failed(answer)) return not_resolved(answer);
  auto names = answer.names();
  if (names.size() > kMostNames) names.resize(kMostNames);
  for (const auto& name : names) {
    const Answer back = ask(run, name, ip->is_v6 ? Type::Aaaa : Type::A);
    for (const auto& address : back.addresses())
      if (Ip::parse(address) == *ip) return true;
    if (has_failed(back)) return not_resolved(back);
  }
  return false;
}

using enum vsl::Type;
constexpr ApiRow kRows[] = {
    api<lookup>("lookup", "dns::lookup", {Any}, kEvery, "the addresses of a host, IPv4 before IPv6; an error if there are none", vsl::kMustUse),
    api<rlookup>("rlookup", "dns::rlookup", {Any}, kEvery, "the names of an address, without dot at the end; an error if there are none", vsl::kMustUse),
    api<txt>("dns::txt", "", {Any}, kEvery, "the TXT records of a name, an array of strings", vsl::kMustUse | kNoHandle),
    api<mx>("dns::mx", "", {Any}, kEvery, "the MX records of a domain, best first: an array of #{preference, exchange}", vsl::kMustUse | kNoHandle),
    api<ptr_valid>("dns::ptr_valid", "", {Any}, kEvery, "whether one of the names of an address leads back to it", vsl::kMustUse | kNoHandle),
};

}  // namespace

std::span<const ApiRow> dns_rows() { return kRows; }

}  // namespace rules
