// Test files of rules: the last expression of FILE_test.vsl is an array of directives
//
//   test "strangers do not relay" #{
//       rules: "main.vsl",              // FILE.vsl if not said
//       client_ip: "192.0.2.1", from: "a@b.example", to: "c@d.example",
//       message: `Subject: hello` + ...,  // or file: "saved.eml"
//       rcpt: "info 554 5.7.1",
//       expect: || !has_header("X-Gate"),
//   }
//
// with `steps: [ #{...}, ... ]` for several messages one after the other. See vsl-filter(1).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/lang/engine.h"
#include "vsl-filter/modes/test_zone.h"
#include "vsl-filter/transaction/stage.h"
#include "vsl-filter/transaction/standing.h"

namespace rules {

// One message of a test, and what it shall come to.
struct TestStep {
  // Context; absent: as a message from 127.0.0.1 has it.
  std::optional<std::string> client_ip, helo, from, user, time;
  std::optional<std::uint16_t> client_port;
  std::vector<std::string> to;
  bool is_secured = false;
  Standing standing;
  std::optional<TestZone> dns;       // absent: the DNS of the world
  std::string message;               // with LF or CRLF
  std::string file;                  // relative to the test file
  std::chrono::milliseconds after{};  // since the step before

  // Expectations; absent: anything will do.
  struct Status {
    Stage stage;
    std::vector<std::string> texts;  // "info 451 4.7.1": the status and how its reply begins; of rcpt: one for each recipient
  };
  std::vector<Status> statuses;
  std::optional<std::string> verdict;  // "accepted", "refused", "deferred", "quarantined NAME", "held"
  struct Header {
    std::string name;
    std::optional<std::string> value;  // nothing: there is no such field
  };
  std::vector<Header> headers;
  std::optional<std::vector<std::string>> recipients;
  struct Transport {
    std::string recipient, transport;
  };
  std::vector<Transport> transports;
  vsl::Value expect;  // a closure that gives true, or unit
};

struct TestCase {
  std::string name;
  std::string rules;  // path of the rule set
  std::vector<TestStep> steps;
};

// A loaded test file. The closures of its cases live in its program.
class TestFile {
 public:
  // Fails when the file cannot be read; mistakes in it are diagnostics, and cases() is empty then.
  [[nodiscard]] static base::Result<std::unique_ptr<TestFile>> load(const std::string& path, Site site);

  [[nodiscard]] const std::vector<TestCase>& cases() const { return cases_; }
  [[nodiscard]] const vsl::Loaded& loaded() const { return loaded_; }
  [[nodiscard]] const vsl::Program& program() const { return *loaded_.program; }

 private:
  explicit TestFile(Site site) : site_(std::move(site)), api_(site_) {}
  void take_cases(const std::string& path);

  Site site_;
  Api api_;  // outlives the program
  vsl::Loaded loaded_;
  std::vector<TestCase> cases_;
};

}  // namespace rules
