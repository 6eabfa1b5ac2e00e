// ANONYMOUS (RFC 4505): the response is trace information, an address or some word, or nothing.
#include "lib/base/utf8.h"
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/prepare.h"

namespace sasl {
namespace {

constexpr std::size_t kMostCharacters = 255;  // section 3

class Anonymous final : public Exchange {
 public:
  Move respond(std::string_view response) override {
    auto trace = response.empty() ? std::string() : prepared(response);
    if (!trace) return {};
    std::size_t characters = 0;
    for (const char octet : *trace) characters += (static_cast<unsigned char>(octet) & 0xC0U) != 0x80U ? 1 : 0;
    if (characters > kMostCharacters) return {};
    question_.user = std::move(*trace);
    return ask(Question::Kind::Trace);
  }
};

}  // namespace

std::unique_ptr<Exchange> start_anonymous(const Facts&) { return std::make_unique<Anonymous>(); }

}  // namespace sasl
