// PLAIN (RFC 4616): message = [authzid] NUL authcid NUL passwd.
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/prepare.h"

namespace sasl {
namespace {

class Plain final : public Exchange {
 public:
  Move respond(std::string_view response) override {
    const auto first = response.find('\0');
    const auto second = first == std::string_view::npos ? first : response.find('\0', first + 1);
    if (second == std::string_view::npos || response.find('\0', second + 1) != std::string_view::npos) return {};
    const auto authorization = response.substr(0, first);
    auto user = prepared(response.substr(first + 1, second - first - 1));
    auto password = prepared(response.substr(second + 1));
    auto acts_as = authorization.empty() ? std::string() : prepared(authorization);
    if (user) question_.user = std::move(*user);
    // An empty password is right nowhere; there are directories that take it for an anonymous visit.
    if (!user || !password || !acts_as) return ask(Question::Kind::Disproven);
    question_.authorization = std::move(*acts_as);
    question_.secret = std::move(*password);
    return ask(Question::Kind::Password);
  }
};

}  // namespace

std::unique_ptr<Exchange> start_plain(const Facts&) { return std::make_unique<Plain>(); }

}  // namespace sasl
