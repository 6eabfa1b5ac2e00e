#include "lib/mail/relay_sections.h"

#include "lib/base/settings_testing.h"

namespace {

using base::Settings;
using base::testing::set_of_relay;

std::string error_of(const Settings& settings) {
  const auto sections = mail::relay_sections(settings);
  REQUIRE_FALSE(sections);
  CHECK(sections.error().fault == base::Fault::Config);
  return sections.error().cause;
}

}  // namespace

TEST_CASE("relay sections: what they say") {
  Settings settings;
  set_of_relay(settings, "example.org", "host", "[192.0.2.1]:2525");
  set_of_relay(settings, ".example.org", "transport", "lists");
  set_of_relay(settings, "gone.example", "error", "5.1.2 moved away");
  settings.open_named("relay \"quiet.example\"");
  const auto sections = mail::relay_sections(settings);
  REQUIRE(sections);
  CHECK(sections->find("EXAMPLE.org")->host == "[192.0.2.1]:2525");
  CHECK(sections->find("a.example.org")->transport == "lists");
  CHECK(sections->find("gone.example")->refusal == "550 5.1.2 moved away");
  REQUIRE(sections->find("quiet.example") != nullptr);
  CHECK_FALSE(sections->find("quiet.example")->is_way());
  CHECK(sections->find("other.example") == nullptr);
}

TEST_CASE("relay sections: mistakes") {
  Settings both, dash, blank, twice, error;
  set_of_relay(both, "a.example", "host", "b.example");
  set_of_relay(both, "a.example", "error", "5.1.2 gone");
  CHECK(error_of(both).contains("[relay \"a.example\"] has an error and a way"));
  set_of_relay(dash, "a.example", "host", "--config=x");
  CHECK(error_of(dash).contains("without a dash"));
  set_of_relay(blank, "a.example", "host", "a b");
  CHECK(error_of(blank).contains("one host"));
  set_of_relay(twice, "A.example", "host", "a");
  set_of_relay(twice, "a.example", "host", "b");
  CHECK(error_of(twice).contains("two sections [relay] are for the domain 'a.example'"));
  set_of_relay(error, "a.example", "error", "no");
  CHECK(error_of(error).contains("expected: a status code"));
}

TEST_CASE("relay sections: an error is a reply") {
  struct Case {
    std::string_view error, reply;
  };
  for (const auto& c : std::initializer_list<Case>{{"5.1.2 gone", "550 5.1.2 gone"},
                                                   {"4.3.2 come back", "450 4.3.2 come back"},
                                                   {"554 5.7.1 no", "554 5.7.1 no"},
                                                   {"421 4.3.2 later", "421 4.3.2 later"},
                                                   {"450 5.7.1 no", ""},
                                                   {"250 2.0.0 ok", ""},
                                                   {"2.0.0 ok", ""},
                                                   {"5.1.2", ""},
                                                   {"5.1.2 ", ""},
                                                   {"5.1 gone", ""},
                                                   {"5.1234.1 gone", ""},
                                                   {"550 gone", ""},
                                                   {"gone", ""},
                                                   {"", ""},
                                                   {"5.1.1 a\r\nb", ""}}) {
    CAPTURE(c.error);
    CHECK(mail::refusal_of(c.error) == c.reply);
  }
}
