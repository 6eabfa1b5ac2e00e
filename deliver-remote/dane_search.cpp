#include "deliver-remote/dane_search.h"

#include <algorithm>
#include <utility>

#include "lib/base/text.h"

namespace remote {

using net::dns::Answer;
using net::dns::Status;
using net::dns::Type;

TlsaBases tlsa_bases(const Host& host) {
  std::string end;  // where CNAMEs have led to
  bool is_found = false, is_secure = true;
  for (const auto* answer : {&host.ipv6, &host.ipv4}) {
    if (answer->status != Status::Found) continue;
    is_found = true;
    is_secure = is_secure && answer->is_secure;
    if (!answer->canonical_name.empty()) end = answer->canonical_name;
  }
  const bool is_alias = !end.empty() && !base::text::equal_ignoring_case(end, host.name);
  if (!is_found) return {};
  if (!is_secure) return {{}, is_alias};
  if (is_alias) return {{end, host.name}, false};
  return {{host.name}, false};
}

std::string tlsa_name(std::string_view base, std::uint16_t port) { return "_" + std::to_string(port) + "._tcp." + std::string(base); }

std::shared_ptr<DaneHost> read_tlsa(const Answer& answer, const std::string& base, std::span<const std::string> names) {
  auto host = std::make_shared<DaneHost>();
  host->base = base;
  switch (answer.status) {
    case Status::Temporary:  // RFC 7672 section 2.1.2: who could keep them from us could as well have forged their absence
    case Status::Bogus: host->problem = answer.problem; return host;
    case Status::NoData:
    case Status::NoName: return nullptr;
    case Status::Found: break;
  }
  if (!answer.is_secure) return nullptr;
  host->records = net::dane::usable(answer.records);
  host->names = {base};
  for (const auto& name : names)
    if (std::ranges::find(host->names, name) == host->names.end()) host->names.push_back(name);
  return host;
}

DaneSearch::DaneSearch(net::dns::Resolver& resolver, std::uint16_t port, std::vector<std::string> names, Done done)
    : resolver_(resolver), port_(port), names_(std::move(names)), done_(std::move(done)) {}

DaneSearch::~DaneSearch() {
  if (question_ != 0) resolver_.cancel(question_);
}

void DaneSearch::start(const Host& host) {
  auto [names, is_alias_to_be_asked] = tlsa_bases(host);
  bases_ = std::move(names);
  if (is_alias_to_be_asked) return ask_for_alias(host.name);
  ask_next();
}

void DaneSearch::ask_for_alias(const std::string& host) {
  question_ = resolver_.resolve(host, Type::Cname, [this, host](const Answer& answer) {
    question_ = 0;
    if (answer.status == Status::Temporary || answer.status == Status::Bogus) {
      auto unknown = std::make_shared<DaneHost>();
      unknown->base = host;
      unknown->problem = answer.problem;
      return finish(std::move(unknown));
    }
    if (answer.status == Status::Found && answer.is_secure) bases_ = {host};
    ask_next();
  });
}

void DaneSearch::ask_next() {
  if (asked_ == bases_.size()) return finish(nullptr);
  question_ = resolver_.resolve(tlsa_name(bases_[asked_], port_), Type::Tlsa, [this](const Answer& answer) {
    question_ = 0;
    if (auto found = read_tlsa(answer, bases_[asked_], names_)) return finish(std::move(found));
    ++asked_;
    ask_next();
  });
}

void DaneSearch::finish(std::shared_ptr<const DaneHost> found) {
  const auto done = std::move(done_);
  done(std::move(found));
}

}  // namespace remote
