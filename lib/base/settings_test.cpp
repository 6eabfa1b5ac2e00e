#include "lib/base/settings.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "lib/base/io.h"

using base::Settings;

namespace {
// Reads `text` as vsmtp.ini; "" or the error.
std::string error_of(const std::string& text) {
  const auto file = base::memory_file("ini");
  REQUIRE(file);
  REQUIRE(base::write_all(file->get(), text));
  Settings settings;
  const auto read = settings.read("/proc/self/fd/" + std::to_string(file->get()));
  return read ? "" : read.error().cause;
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
}  // namespace

TEST_CASE("every setting has a section, a key, a text and a default of its own kind") {
  std::set<std::string> names;
  for (const auto& setting : base::all_settings()) {
    CAPTURE(setting.key);
    CHECK_FALSE(setting.section.empty());
    CHECK_FALSE(setting.doc.empty());
    CHECK(names.insert(std::string(setting.section) + "." + std::string(setting.key)).second);
    CHECK(base::check_value(setting, setting.standard));
  }
}

TEST_CASE("a file wins over defaults and an option over the file") {
  const auto file = base::memory_file("ini");
  REQUIRE(file);
  REQUIRE(base::write_all(file->get(), "; comment\n[log]\nlevel = debug\n[server]\ndomain = mx.example.org\n"));
  Settings settings;
  CHECK(settings.text("log.level") == "info");
  REQUIRE(settings.read("/proc/self/fd/" + std::to_string(file->get())));
  CHECK(settings.text("log.level") == "debug");
  CHECK(settings.text("server.domain") == "mx.example.org");
  REQUIRE(settings.set(*base::find_setting("log.level"), "error"));
  CHECK(settings.text("log.level") == "error");
  CHECK(settings.is_given("server.domain"));
  CHECK_FALSE(settings.is_given("log.format"));
}

TEST_CASE("a mistake names file, line, value and what was expected, and all are told at once") {
  const auto errors = error_of("[log]\nlevel = loud\nlevl = info\n[lgo]\nlevel = info\n");
  CHECK(has(errors, ":2: bad value 'loud' for log.level; expected: one of: debug info warning error"));
  CHECK(has(errors, ":3: unknown key 'levl' in [log]; expected: level format destination"));
  CHECK(has(errors, ":5: unknown section [lgo]; expected:"));
  CHECK(has(error_of("what is this\n"), ":1: "));
}

TEST_CASE("keys of rules.user are free") {
  const auto file = base::memory_file("ini");
  REQUIRE(file);
  REQUIRE(base::write_all(file->get(), "[rules.user]\nlimit = 5\nanything = a b\n[log]\nlevel = debug\n"));
  Settings settings;
  REQUIRE(settings.read("/proc/self/fd/" + std::to_string(file->get())));
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(settings.free_values() == Pairs{{"anything", "a b"}, {"limit", "5"}});
  CHECK(has(error_of("[rules.other]\na = b\n"), "unknown section [rules.other]"));
}

TEST_CASE("a section may stand once for each of something") {
  const std::string long_name = std::string(70, 'x') + ".example";  // inih cuts sections at 50
  const auto file = base::memory_file("ini");
  REQUIRE(file);
  REQUIRE(base::write_all(file->get(), "[virtual \"example.org\"]\ncertificate = a.pem\n  b.pem\n[virtual \"" + long_name +
                                           "\"]\ncertificate = c.pem\n[virtual \"example.org\"]\nprivate_key = k.pem\n"));
  Settings settings;
  REQUIRE(settings.read("/proc/self/fd/" + std::to_string(file->get())));
  CHECK(settings.names("virtual") == std::vector<std::string>{"example.org", long_name});
  CHECK(settings.words(Settings::named("virtual", "example.org", "certificate")) == std::vector<std::string>{"a.pem", "b.pem"});
  CHECK(settings.words(Settings::named("virtual", "example.org", "private_key")) == std::vector<std::string>{"k.pem"});
  CHECK(settings.words("virtual \"" + long_name + "\".certificate") == std::vector<std::string>{"c.pem"});
  CHECK(settings.words("virtual \"" + long_name + "\".private_key").empty());

  for (const auto* wrong : {"[virtual]\ncertificate = x\n", "[virtual \"\"]\ncertificate = x\n", "[smtp \"x\"]\nlisten = 25\n", "[virtual example.org]\ncertificate = x\n"}) {
    CAPTURE(wrong);
    const auto error = error_of(wrong);
    CHECK(has(error, "unknown section ["));
    CHECK(has(error, "[virtual \"NAME\"]"));
  }
  CHECK(has(error_of("[virtual \"example.org\"]\ncertificat = x\n"), ":2: unknown key 'certificat' in [virtual \"example.org\"]; expected: certificate private_key dkim_selector dkim_private_key address hostname greeting relay_domains"));
}

TEST_CASE("a line that is too long for the reader is an error, not two lines") {
  const auto errors = error_of("[server]\ndomain = " + std::string(400, 'a') + "\n[log]\nlevel = loud\n");
  CHECK(has(errors, ":2: line of more than"));
  CHECK(has(errors, ":4: bad value 'loud'"));
}

TEST_CASE("a missing file is a configuration error") {
  Settings settings;
  const auto read = settings.read("/nonexistent/vsmtp.ini");
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == base::Fault::Config);
}

TEST_CASE("a value knows the line that it comes from, until an option takes its place") {
  const auto file = base::memory_file("ini");
  REQUIRE(file);
  REQUIRE(base::write_all(file->get(), "[server]\ndomain = a.example\n[smtp]\n\nlisten = 25\n  26\n[virtual \"b.example\"]\n"));
  const std::string path = "/proc/self/fd/" + std::to_string(file->get());
  Settings settings;
  REQUIRE(settings.read(path));
  CHECK(settings.place_of("server.domain") == path + ":2: ");
  CHECK(settings.place_of("smtp.listen") == path + ":5: ");
  CHECK(settings.place_of("smtp.workers").empty());
  REQUIRE(settings.set(*base::find_setting("server.domain"), "c.example"));
  CHECK(settings.place_of("server.domain").empty());
  CHECK(settings.names("virtual") == std::vector<std::string>{"b.example"});
}
