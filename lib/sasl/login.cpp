// LOGIN (draft-murchison-sasl-login, never a standard): the name, then the password, each asked for. Clients send the name as an initial
// response too.
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/prepare.h"

namespace sasl {
namespace {

class Login final : public Exchange {
 public:
  Move begin(std::optional<std::string_view> initial_response) override {
    return initial_response ? respond(*initial_response) : Move{Move::Kind::Challenge, "Username:"};  // what clients look for
  }
  Move respond(std::string_view response) override {
    if (response.find('\0') != std::string_view::npos) return {};
    auto text = prepared(response);
    if (!has_user_) {
      has_user_ = true;
      if (text) question_.user = std::move(*text);
      return {Move::Kind::Challenge, "Password:"};
    }
    if (!text || question_.user.empty()) return ask(Question::Kind::Disproven);
    question_.secret = std::move(*text);
    return ask(Question::Kind::Password);
  }

 private:
  bool has_user_ = false;
};

}  // namespace

std::unique_ptr<Exchange> start_login(const Facts&) { return std::make_unique<Login>(); }

}  // namespace sasl
