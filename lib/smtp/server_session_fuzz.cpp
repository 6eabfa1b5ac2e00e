// A session and any octets: it keeps its promises to its driver (every question answered once, a message begun is handed over or
// discarded), says the same however the input is cut, and only complete reply lines.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/smtp/server_session.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

class Driver : public smtp::MessageSink {
 public:
  explicit Driver(const smtp::ServerOptions& options) : session_(options, *this) {}

  void begin() override {
    require(!is_open_);
    is_open_ = true;
    text_.clear();
  }
  void append(std::string_view octets) override {
    require(is_open_);
    text_ += octets;
  }
  void discard(smtp::ReplyId) override {
    require(is_open_);
    is_open_ = false;
  }

  std::string run(std::string_view octets, std::size_t piece) {
    std::string output;
    std::string_view none;
    feed(none, output);
    for (std::size_t at = 0; at < octets.size(); at += piece) {
      const std::string own(octets.substr(at, piece));
      std::string_view input = own;
      if (!feed(input, output)) break;
    }
    require(output.empty() || output.ends_with("\r\n"));
    output += messages_;
    return output;
  }

 private:
  bool feed(std::string_view& input, std::string& output) {
    for (;;) {
      switch (session_.advance(input, output)) {
        case smtp::Step::NeedInput: require(input.empty()); return true;
        case smtp::Step::Ask: decide(output); break;
        case smtp::Step::Delay: break;
        case smtp::Step::StartTls:
        case smtp::Step::Close: return false;
      }
    }
  }
  void decide(std::string& output) {
    smtp::Answer answer;
    if (session_.stage() == smtp::Stage::Rcpt) {
      require(session_.transaction() != nullptr && !session_.transaction()->recipients.empty());
      answer.accepts = !session_.transaction()->recipients.back().address.starts_with('x');
    }
    if (session_.stage() == smtp::Stage::Auth) {
      const auto& question = session_.question();
      require(question.kind != sasl::Question::Kind::Proven);
      answer.accepts = question.kind != sasl::Question::Kind::Disproven && question.secret.size() % 2 == 1;
      if (!answer.accepts) answer.reply = "535 5.7.8 no\r\n";
      require(session_.identity() == nullptr);
    }
    if (session_.stage() == smtp::Stage::Message) {
      require(is_open_ && !session_.transaction()->recipients.empty());
      is_open_ = false;
      messages_ += "message:" + text_;
      answer.accepts = text_.size() % 2 == 0;
    }
    session_.answer(answer, output);
  }

  smtp::ServerSession session_;
  bool is_open_ = false;
  std::string text_, messages_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static smtp::ServerOptions options[2];
  static const bool is_prepared = [] {
    options[1].bare_line_end = smtp::DotReader::BareLineEnd::Normalise;
    options[1].limits.message_octets = 200;
    options[1].limits.text_line_octets = 100;
    options[1].limits.command_line_octets = 64;
    options[1].extensions = ~0U & ~static_cast<unsigned>(smtp::kStartTls);
    options[1].asks = ~0U;
    // Those whose challenges are always the same.
    for (const auto* name : {"PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2", "ANONYMOUS", "EXTERNAL"}) options[1].mechanisms.push_back(sasl::find_mechanism(name));
    options[1].auth_in_clear = true;
    for (auto& o : options) o.prepare();
    return true;
  }();
  (void)is_prepared;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto& chosen = options[data[0] & 1];
  const std::string whole = Driver(chosen).run(octets, octets.size() + 1);
  require(Driver(chosen).run(octets, 1) == whole);
  require(Driver(chosen).run(octets, 1 + data[1]) == whole);
  return 0;
}
