#include "lib/smtp/server_session.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "lib/base/text.h"
#include "tests/smtp_suites.h"

using namespace smtp;

namespace {

struct Taken {
  std::string reverse_path, text;
  std::vector<std::string> recipients;
};

// Drives a session with strings: recipients named Green are refused, messages are accepted.
class Driver : public MessageSink {
 public:
  explicit Driver(const ServerOptions& options = {}) : options_(options), session(options_, *this) { options_.prepare(); }
  Driver(const Driver&) = delete;

  void begin() override { text_.clear(); }
  void append(std::string_view octets) override { text_ += octets; }
  void discard(ReplyId) override {
    ++discarded;
    text_.clear();
  }

  // What the server says to these octets, which come in one piece.
  std::string say(std::string_view octets) {
    const std::string own(octets);
    std::string_view input = own;
    std::string output;
    for (;;) {
      last = session.advance(input, output);
      switch (last) {
        case Step::NeedInput: return output;
        case Step::Ask: decide(output); break;
        case Step::Delay: ++delays; break;
        case Step::StartTls:
          session.tls_started();
          return output;
        case Step::Close: return output;
      }
    }
  }
  std::string say_each(std::string_view octets) {
    std::string output;
    for (std::size_t i = 0; i < octets.size(); ++i) output += say(octets.substr(i, 1));
    return output;
  }
  void greet() { say("EHLO a.example\r\n"); }
  void open_transaction(std::string_view parameters = "") {
    greet();
    CHECK(say("MAIL FROM:<a@a.example>" + std::string(parameters) + "\r\n").starts_with("250 "));
    CHECK(say("RCPT TO:<Jones@foo.example>\r\n").starts_with("250 "));
  }

 private:
  void decide(std::string& output) {
    const Transaction* transaction = session.transaction();
    if (session.stage() == Stage::Rcpt && transaction->recipients.back().address.starts_with("Green@")) {
      session.answer({.accepts = false, .reply = "550 5.1.1 no Green here\r\n"}, output);
      return;
    }
    if (session.stage() == Stage::Message) {
      taken.push_back({transaction->reverse_path, text_, {}});
      for (const auto& recipient : transaction->recipients) taken.back().recipients.push_back(recipient.address);
    }
    session.answer({}, output);
  }

  ServerOptions options_;
  std::string text_;

 public:
  ServerSession session;
  std::vector<Taken> taken;
  Step last = Step::NeedInput;
  int delays = 0, discarded = 0;
};

// The codes of all replies: "250 250 354".
std::string codes(std::string_view output) {
  std::string list;
  for (const auto line : base::text::split(output, '\n')) {
    if (line.size() < 4 || line[3] == '-') continue;
    if (!list.empty()) list += ' ';
    list += line.substr(0, 3);
  }
  return list;
}

ServerOptions with(auto change) {
  ServerOptions options;
  change(options);
  return options;
}

}  // namespace

TEST_CASE("the dialogues of the suite run as written") {
  const auto suite = testdata::smtp_suite("dialogues.json");
  for (const auto& c : suite["cases"]) {
    CAPTURE(c["id"].get<std::string>());
    Driver driver(with([](ServerOptions& o) { o.extensions |= kStartTls; }));
    std::string pending = driver.say("");
    bool is_dropped = false;
    for (const auto& step : c["steps"]) {
      const std::string kind = step[0], text = step[1];
      CAPTURE(text);
      if (kind == "S") {
        std::size_t end = 0;  // of the first reply
        while (end + 3 < pending.size() && pending[end + 3] == '-') end = pending.find('\n', end) + 1;
        CHECK(("|" + text + "|").find("|" + pending.substr(0, 3) + "|") != std::string::npos);
        pending.erase(0, pending.find('\n', end) + 1);
      } else if (kind == "C") {
        pending += driver.say(text + "\r\n");
      } else if (kind == "D") {
        pending += driver.say(text + ".\r\n");
      } else if (kind == "P") {
        pending += driver.say(text);
      } else if (kind == "X") {
        pending += driver.say(text);
        is_dropped = true;
      }
    }
    CHECK(pending.empty());
    const std::string id = c["id"];
    CHECK(driver.taken.size() == (id == "typical" || id == "pipelined" || id == "bdat-two-chunks" ? 1 : 0));
    if (id == "typical") CHECK(driver.taken[0].recipients == std::vector<std::string>{"Jones@foo.example", "Brown@foo.example"});
    if (id == "bdat-two-chunks") CHECK(driver.taken[0].text == "Subject: x\r\n\r\n\r\n.\r\nQUIT");
    if (id == "starttls-resets") CHECK(driver.say("EHLO a.example\r\n").find("STARTTLS") == std::string::npos);
    if (is_dropped) CHECK(driver.taken.empty());
  }
}

TEST_CASE("commands of the suite get the replies it asks for") {
  const auto suite = testdata::smtp_suite("commands.json");
  for (const auto& c : suite["cases"]) {
    CAPTURE(c["id"].get<std::string>());
    const std::string line = c.contains("line_hex") ? testdata::unhex(c["line_hex"]) : c["line"].get<std::string>();
    const auto verb = base::text::to_lower(line.substr(0, 4));
    const auto all_extensions = with([](ServerOptions& o) { o.extensions = ~0U & ~static_cast<unsigned>(kStartTls); });
    Driver driver(line.starts_with("STARTTLS") ? with([](ServerOptions& o) { o.extensions = ~0U; }) : all_extensions);
    driver.say("");
    if (verb != "ehlo" && verb != "helo") driver.greet();
    if (line.find("REQUIRETLS") != std::string::npos) {
      driver.session.tls_started();
      driver.greet();
    }
    if (verb == "rcpt") driver.say("MAIL FROM:<a@a.example>\r\n");
    if (verb == "data" || verb == "bdat") driver.open_transaction();
    std::string said = driver.say(line + "\r\n");
    if (line == "BDAT 100 LAST") said += driver.say(std::string(100, 'x'));
    CAPTURE(said);
    const int code = std::stoi(said.substr(0, 3));
    CHECK(base::text::split(said, '\n').size() >= 2);
    const bool is_syntax_error = code == 500 || code == 501 || code == 553 || code == 555;
    const auto& valid = c["valid"];
    if (valid == true) {
      CHECK_FALSE(is_syntax_error);
    } else if (valid == "smtputf8") {
      CHECK(said.starts_with("553 5.6.7 "));
      CHECK(driver.say(line + " SMTPUTF8\r\n").starts_with("250 "));
      CHECK(driver.session.transaction()->reverse_path == c["path"].get<std::string>());
    } else if (valid == "either") {
      CHECK((code == 250 || code == 500));
    } else if (!(c.value("lenient", false) && code == 250)) {
      const auto reply = c.value("reply", nlohmann::json());
      if (reply.is_number()) CHECK(code == reply.get<int>());
      if (reply.is_array()) CHECK(reply.dump().find(std::to_string(code)) != std::string::npos);
      CHECK(code >= 500);
    }
    if (valid == true && c.contains("path")) CHECK(driver.session.transaction()->reverse_path == c["path"].get<std::string>());
  }
}

TEST_CASE("no look-alike of the end of data runs what follows as commands") {
  const auto suite = testdata::smtp_suite("end-of-data.json");
  for (const bool normalises : {false, true}) {
    const auto options = with([&](ServerOptions& o) {
      if (normalises) o.bare_line_end = DotReader::BareLineEnd::Normalise;
    });
    for (const auto& c : suite["cases"]) {
      const std::string id = c["id"];
      CAPTURE(id);
      const std::string text = testdata::unhex(suite["prefix_hex"]) + testdata::unhex(c["bytes_hex"]) + testdata::unhex(suite["suffix_hex"]) + "QUIT\r\n";
      const bool ends = c["ends_data"], is_refused = !normalises && c["has_bare_cr_or_lf"];
      const auto check = [&](const Driver& driver, const std::string& output) {
        CAPTURE(output);
        for (const auto& taken : driver.taken) CHECK((taken.reverse_path == "a@a.example") == (&taken == &driver.taken[0]));
        CHECK(driver.taken.size() == (is_refused ? 0 : ends ? 2 : 1));
        CHECK(driver.last == Step::Close);
        if (is_refused) {
          CHECK(output.starts_with("550 5.6.11 "));
          CHECK(codes(output) == "550");  // and the session is over: QUIT is not answered
        }
        if (!ends && !is_refused) CHECK(codes(output) == "250 221");
      };
      for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Driver driver(options);
        driver.open_transaction();
        CHECK(driver.say("DATA\r\n").starts_with("354 "));
        std::string output = driver.say(text.substr(0, cut));
        output += driver.say(text.substr(cut));
        check(driver, output);
      }
      Driver driver(options);
      driver.open_transaction();
      driver.say("DATA\r\n");
      check(driver, driver.say_each(text));
    }
  }
}

TEST_CASE("pipelined commands are answered together, in order, also behind a message") {
  Driver driver;
  driver.say("");
  driver.greet();
  const std::string group =
      "MAIL FROM:<a@a.example>\r\nRCPT TO:<Green@foo.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nS: 1\r\n\r\n..\r\n.\r\n"
      "MAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\nBDAT 3\r\nab\rBDAT 2 LAST\r\n\ncRSET\r\nQUIT\r\n";
  CHECK(codes(driver.say(group)) == "250 550 250 354 250 250 250 250 250 250 221");
  REQUIRE(driver.taken.size() == 2);
  CHECK(driver.taken[0].text == "S: 1\r\n\r\n.\r\n");
  CHECK(driver.taken[1].text == "ab\r\nc");
  Driver slow;
  slow.say("");
  slow.greet();
  CHECK(codes(slow.say_each(group)) == "250 550 250 354 250 250 250 250 250 250 221");
}

TEST_CASE("the declared size is refused at MAIL, the real one at the end, at the edge") {
  const auto options = with([](ServerOptions& o) { o.limits.message_octets = 100; });
  Driver driver(options);
  driver.say("");
  CHECK(driver.say("EHLO a.example\r\n").find("250-SIZE 100\r\n") != std::string::npos);
  CHECK(driver.say("MAIL FROM:<a@a.example> SIZE=101\r\n").starts_with("552 5.3.4 "));
  for (const std::size_t size : {99U, 100U, 101U}) {
    const bool fits = size <= 100;
    CHECK(driver.say("MAIL FROM:<a@a.example> SIZE=100\r\n").starts_with("250 "));
    driver.say("RCPT TO:<b@b.example>\r\nDATA\r\n");
    const int discarded = driver.discarded;
    CHECK(codes(driver.say(std::string(size - 2, 'x') + "\r\n.\r\n")) == (fits ? "250" : "552"));
    CHECK(driver.discarded == discarded + (fits ? 0 : 1));
    driver.say("MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n");
    CHECK(codes(driver.say("BDAT " + std::to_string(size) + " LAST\r\n" + std::string(size, 'x'))) == (fits ? "250" : "552"));
  }
  // Drained: what follows is a command again. A chunk of a refused message is swallowed as well.
  CHECK(driver.say("MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nBDAT 60\r\n" + std::string(60, 'x') + "BDAT 60\r\n" + std::string(60, 'x') +
                   "BDAT 6 LAST\r\nRSET\r\nNOOP\r\n")
            .ends_with("250 2.0.0 Ok\r\n552 5.3.4 Message too large\r\n503 5.5.1 Bad sequence of commands\r\n250 2.0.0 Ok\r\n"));
  CHECK(codes(driver.say("MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nBDAT 18446744073709551615\r\n")) == "250 250");
}

TEST_CASE("recipients beyond the limit wait for another transaction") {
  Driver driver(with([](ServerOptions& o) { o.limits.recipients = 3; }));
  driver.say("");
  driver.greet();
  driver.say("MAIL FROM:<a@a.example>\r\n");
  std::string group;
  for (int i = 0; i < 5; ++i) group += "RCPT TO:<b" + std::to_string(i) + "@b.example>\r\n";
  const auto said = driver.say(group + "DATA\r\nx\r\n.\r\n");
  CHECK(codes(said) == "250 250 250 452 452 354 250");
  CHECK(said.find("452 4.5.3 ") != std::string::npos);
  CHECK(driver.taken[0].recipients.size() == 3);
  CHECK(driver.session.errors() == 0);
}

TEST_CASE("lines too long are one error, however they come") {
  for (const std::size_t size : {2047U, 2048U, 2049U, 65536U}) {
    const std::string line = "NOOP " + std::string(size - 7, 'x') + "\r\n";
    const std::string expected = size <= 2048 ? "250 250" : "500 250";
    Driver whole, each;
    whole.say("");
    each.say("");
    CHECK(codes(whole.say(line + "NOOP\r\n")) == expected);
    CHECK(codes(each.say_each(line + "NOOP\r\n")) == expected);
  }
  Driver text(with([](ServerOptions& o) { o.limits.text_line_octets = 1000; }));
  text.say("");
  for (const std::size_t size : {999U, 1000U, 1001U}) {
    text.open_transaction();
    text.say("DATA\r\n");
    CHECK(codes(text.say("S: x\r\n\r\n" + std::string(size - 2, 'x') + "\r\n.\r\n")) == (size <= 1000 ? "250" : "550"));
  }
}

TEST_CASE("a command that ends in LF alone ends the session, unless those are normalised") {
  Driver strict;
  strict.say("");
  CHECK(strict.say("NOOP\nNOOP\r\n").starts_with("500 5.5.2 "));
  CHECK(strict.last == Step::Close);
  Driver lenient(with([](ServerOptions& o) { o.bare_line_end = DotReader::BareLineEnd::Normalise; }));
  lenient.say("");
  CHECK(codes(lenient.say("NOOP\nNOOP\r\n")) == "250 250");
}

TEST_CASE("a chunk whose size cannot be read ends the session, so that it does not become commands") {
  Driver driver;
  driver.say("");
  driver.open_transaction();
  CHECK(codes(driver.say("BDAT 5x\r\nRSET\r\n")) == "501");
  CHECK(driver.last == Step::Close);
}

TEST_CASE("chunks without a transaction are swallowed") {
  Driver driver;
  driver.say("");
  CHECK(codes(driver.say("BDAT 6\r\nQUIT\r\nNOOP\r\n")) == "503 250");
  driver.greet();
  CHECK(codes(driver.say("MAIL FROM:<a@a.example>\r\nRCPT TO:<Green@x.example>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")) == "250 550 554 250");
  CHECK(driver.taken.empty());
}

TEST_CASE("binary messages come by BDAT only, and untouched") {
  Driver driver;
  driver.say("");
  driver.open_transaction(" BODY=BINARYMIME");
  CHECK(driver.say("DATA\r\n").starts_with("503 5.5.1 "));
  const std::string binary("\0\n\r.\n\xff\r", 7);
  CHECK(codes(driver.say("BDAT 7\r\n" + binary + "BDAT 0 LAST\r\n")) == "250 250");
  CHECK(driver.taken[0].text == binary);
  // Text in chunks has line ends like all text, across chunks too.
  driver.open_transaction();
  CHECK(codes(driver.say("BDAT 2\r\na\rBDAT 2 LAST\r\n\nb")) == "250 250");
  driver.open_transaction();
  CHECK(codes(driver.say("BDAT 2\r\na\rBDAT 2 LAST\r\nbc")) == "250 550");
  driver.open_transaction();
  CHECK(codes(driver.say("BDAT 2 LAST\r\na\r")) == "550");
  CHECK(driver.last == Step::NeedInput);  // where a chunk ends is not in doubt
}

TEST_CASE("errors are answered late, then not at all") {
  Driver driver(with([](ServerOptions& o) {
    o.limits.soft_errors = 2;
    o.limits.hard_errors = 5;
  }));
  driver.say("");
  CHECK(codes(driver.say("X\r\nX\r\n")) == "500 500");
  CHECK(driver.delays == 0);
  CHECK(codes(driver.say("X\r\nNOOP\r\nX\r\n")) == "500 250 500");
  CHECK(driver.delays == 2);
  CHECK(driver.say("X\r\nNOOP\r\n").starts_with("421 4.7.0 Too many errors"));
  CHECK(driver.last == Step::Close);

  Driver guessing(with([](ServerOptions& o) { o.limits.hard_errors = 3; }));
  guessing.say("");
  guessing.open_transaction();
  CHECK(codes(guessing.say("RCPT TO:<Green@1.example>\r\nRCPT TO:<Green@2.example>\r\nRCPT TO:<Green@3.example>\r\nNOOP\r\n")) == "550 550 421");
}

TEST_CASE("a session is not for ever: commands without mail and transactions are counted") {
  Driver driver(with([](ServerOptions& o) {
    o.limits.idle_commands = 3;
    o.limits.hard_errors = 2;
  }));
  driver.say("");
  CHECK(codes(driver.say("NOOP\r\nRSET\r\nVRFY a\r\nNOOP\r\nRSET\r\nNOOP\r\n")) == "250 250 252 250 421");
  Driver busy(with([](ServerOptions& o) {
    o.limits.transactions = 2;
    o.limits.idle_commands = 1;
  }));
  busy.say("");
  busy.greet();
  const std::string message = "MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\nRSET\r\n";
  CHECK(codes(busy.say(message + message + message)) == "250 250 354 250 250 250 250 354 250 250 421");
  CHECK(busy.session.errors() == 0);
}

TEST_CASE("every stage can be asked about, waited for and refused") {
  struct Asking : MessageSink {
    void begin() override {}
    void append(std::string_view) override {}
    void discard(ReplyId) override {}
  } sink;
  ServerOptions options;
  options.asks = ~0U;
  options.prepare();
  struct Row {
    Stage stage;
    std::string_view input, on_accept;
  };
  const std::vector<Row> rows = {
      {Stage::Connect, "", "220 "},
      {Stage::Helo, "EHLO a.example\r\n", "250-"},
      {Stage::Mail, "MAIL FROM:<a@a.example>\r\n", "250 2.1.0 "},
      {Stage::Rcpt, "RCPT TO:<b@b.example>\r\n", "250 2.1.5 "},
      {Stage::Data, "DATA\r\n", "354 "},
      {Stage::Message, "x\r\n.\r\n", "250 2.0.0 "},
  };
  for (std::size_t refused = 0; refused <= rows.size(); ++refused) {
    ServerSession session(options, sink);
    for (std::size_t i = 0; i < rows.size() && i <= refused; ++i) {
      CAPTURE(i);
      std::string output;
      const std::string octets = std::string(rows[i].input) + (i > 0 ? "NOOP\r\n" : "");
      std::string_view input = octets;
      const bool is_data = rows[i].stage == Stage::Data;
      if (is_data) input = rows[i].input;
      CHECK(session.advance(input, output) == Step::Ask);
      CHECK(session.stage() == rows[i].stage);
      CHECK(output.empty());
      CHECK(input == (i > 0 && !is_data ? "NOOP\r\n" : ""));  // nothing is read on while it waits
      CHECK(session.advance(input, output) == Step::Ask);
      session.answer({.accepts = i != refused, .reply = i == refused ? "554 5.7.1 no\r\n" : ""}, output);
      CHECK(output.starts_with(i == refused ? "554 5.7.1 no\r\n" : rows[i].on_accept));
      const Step next = session.advance(input, output);
      CHECK(next == (refused == 0 ? Step::Close : Step::NeedInput));
      if (i > 0 && !is_data) CHECK(output.ends_with("250 2.0.0 Ok\r\n"));
    }
    CHECK(session.messages() == (refused == rows.size() ? 1 : 0));
  }
}

TEST_CASE("a refused recipient or sender leaves nothing behind") {
  Driver driver;
  driver.say("");
  driver.greet();
  CHECK(codes(driver.say("MAIL FROM:<a@a.example>\r\nRCPT TO:<Green@x.example>\r\nDATA\r\n")) == "250 550 554");
  CHECK(driver.session.transaction()->recipients.empty());
  CHECK(codes(driver.say("RSET\r\nRCPT TO:<a@a.example>\r\n")) == "250 503");
  CHECK(driver.session.transaction() == nullptr);
}

TEST_CASE("an idle session is small") {
  CHECK(sizeof(ServerSession) <= 256);
}
