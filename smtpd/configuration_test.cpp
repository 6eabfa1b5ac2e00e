#include "smtpd/configuration.h"

#include <doctest/doctest.h>

namespace {
base::Result<std::shared_ptr<const smtpd::Configuration>> read(std::initializer_list<std::pair<const char*, const char*>> given) {
  base::CommandLine line;
  for (const auto& [name, value] : given) REQUIRE(line.settings.set(*base::find_setting(name), value).has_value());
  return smtpd::Configuration::from(line);
}
}  // namespace

TEST_CASE("configuration: without a word it is safe, and complete") {
  const auto standard = read({});
  REQUIRE(standard.has_value());
  const auto& c = **standard;
  CHECK(c.session(smtpd::Service::Smtp).bare_line_end == smtp::DotReader::BareLineEnd::Refuse);
  CHECK(c.session(smtpd::Service::Smtp).limits.message_octets == 20 * 1024 * 1024);
  CHECK(c.session(smtpd::Service::Smtp).greeting_reply.starts_with("220 "));
  CHECK(c.chain == chain::Words{"queue-inject"});
  CHECK(c.time.data == 300'000);
  CHECK(c.clients_max == 10'000);
}

TEST_CASE("configuration: limits below what SMTP allows are errors that name them") {
  struct Row {
    const char *name, *below, *edge;
  };
  for (const auto& [name, below, edge] : std::initializer_list<Row>{
           {"smtp.command_line_max", "511", "512"},
           {"smtp.text_line_max", "999", "1000"},
           {"smtp.rcpt_count_max", "0", "1"},
           {"smtp.error_hard_count", "0", "1"},
           {"smtp.workers", "0", "1"},
           {"server.client_count_max", "0", "1"},
       }) {
    CAPTURE(name);
    const auto refused = read({{name, below}});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().fault == base::Fault::Config);
    CHECK(refused.error().cause.find(name) != std::string::npos);
    CHECK(read({{name, edge}}).has_value());
  }
  CHECK(read({{"smtp.text_line_max", "0"}}).has_value());
}

TEST_CASE("configuration: a chain of the file is split into words, one of the command line wins") {
  base::CommandLine line;
  REQUIRE(line.settings.set(*base::find_setting("smtp.chain"), "mime-check --mark X -- unix:/run/q").has_value());
  CHECK((*smtpd::Configuration::from(line))->chain == chain::Words{"mime-check", "--mark", "X", "--", "unix:/run/q"});
  line.has_chain = true;
  CHECK_FALSE(smtpd::Configuration::from(line).has_value());
  line.chain = {"true"};
  CHECK((*smtpd::Configuration::from(line))->chain == chain::Words{"true"});
}
