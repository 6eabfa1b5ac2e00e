// Every mechanism and any responses: no crash, an end after few of them, and nobody is proven to be somebody without the password.
#include <cstdint>
#include <cstdlib>

#include "lib/base/base64.h"
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/stored_password.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// Nobody's keys, and the time they take is not what is looked for.
const sasl::ScramKeys kKeys{1, "salt", std::string(32, 'a'), std::string(32, 'b')};

void run(const sasl::Mechanism& mechanism, std::string_view text) {
  const auto exchange = mechanism.start({"mx.example.org", "CN=ann", {{"tls-exporter", "binding"}}});
  bool is_first = true;
  for (int turns = 0; turns < 8; ++turns) {
    const auto end = text.find('\n');
    const auto response = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    auto move = is_first ? exchange->begin(response == "-" ? std::nullopt : std::optional(response)) : exchange->respond(response);
    is_first = false;
    if (move.kind == sasl::Move::Kind::Ask && exchange->question().kind == sasl::Question::Kind::Keys) move = exchange->take_keys(kKeys);
    if (move.kind == sasl::Move::Kind::Challenge) continue;
    require(exchange->question().kind != sasl::Question::Kind::Proven);
    return;
  }
  require(false);  // no exchange is so long
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto mechanisms = sasl::all_mechanisms();
  run(mechanisms[data[0] % mechanisms.size()], text);
  if (const auto octets = base::from_base64(text)) require(base::to_base64(*octets) == text);
  if (const auto keys = sasl::ScramKeys::parse(text)) require(sasl::ScramKeys::parse(keys->text())->text() == keys->text());
  return 0;
}
