// EXTERNAL (RFC 4422 appendix A): the client's certificate has said who it is; the response is the identity to act as, if any.
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/prepare.h"

namespace sasl {
namespace {

class External final : public Exchange {
 public:
  explicit External(const Facts& facts) { question_.user = facts.identity; }
  Move respond(std::string_view response) override {
    if (response.find('\0') != std::string_view::npos) return {};
    auto acts_as = response.empty() ? std::string() : prepared(response);
    if (!acts_as || question_.user.empty()) return ask(Question::Kind::Disproven);
    question_.authorization = std::move(*acts_as);
    return ask(Question::Kind::Identity);
  }
};

}  // namespace

std::unique_ptr<Exchange> start_external(const Facts& facts) { return std::make_unique<External>(facts); }

}  // namespace sasl
