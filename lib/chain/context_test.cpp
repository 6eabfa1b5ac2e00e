#include "lib/chain/context.h"

#include <doctest/doctest.h>

using chain::Context;

TEST_CASE("chain: fields of a context are found by their path and type") {
  const auto context = Context::parse(R"({"connection":{"client_addr":"192.0.2.1:4711","is_secured":false,"error_count":3},
    "envelop":{"rcpt":[{"address":"a@example.org","transfer_method":"Deliver"},{"address":"b@example.org","transfer_method":{"Forward":"192.0.2.2"}},
                       {"address":"c@example.org"},{"address":"e@example.org","transfer_method":{"Forward":{"Socket":"192.0.2.3:26"}}},{"address":7},"d"]},"state":"token"})");
  REQUIRE(context);
  CHECK(context->text("connection.client_addr") == "192.0.2.1:4711");
  CHECK(context->flag("connection.is_secured") == false);
  CHECK(context->number("connection.error_count") == 3);
  CHECK(context->text("state") == "token");
  for (const auto* path : {"connection", "connection.error_count", "state.x", "nothing", "connection.", ".", "connection.client_addr.x"})
    CHECK_FALSE(context->text(path));
  CHECK_FALSE(context->number("state"));
  CHECK_FALSE(context->flag("state"));
  CHECK(context->members() == std::vector<std::string>{"connection", "envelop", "state"});
  CHECK(context->members("envelop") == std::vector<std::string>{"rcpt"});
  CHECK(context->members("state").empty());
  const auto recipients = context->recipients();
  REQUIRE(recipients.size() == 4);
  CHECK(recipients[0].transfer_method == "Deliver");
  CHECK(recipients[1].transfer_method == "Forward");
  CHECK(recipients[1].target == "192.0.2.2");
  CHECK(recipients[2].transfer_method.empty());
  CHECK(recipients[3].transfer_method == "Forward");
  CHECK(recipients[3].target == "192.0.2.3:26");
}

TEST_CASE("chain: an absent context is empty, a broken one an error") {
  CHECK(Context().members().empty());
  CHECK(Context::parse("")->recipients().empty());
  for (const auto* bad : {"[]", "nonsense", "{", "\"x\"", "{}{}", " "}) {
    CAPTURE(bad);
    CHECK(Context::parse(bad).error().fault == base::Fault::Temporary);
  }
}

TEST_CASE("context: what is asked about notifications") {
  const std::vector<std::string> recipients = {"a@x", "b@x", "c@x"};
  const auto request = chain::dsn_of(
      R"({"envelop":{"dsn":{"ret":"HDRS","envid":"Q+2Bq"},"rcpt":[{"address":"c@x","notify":"SUCCESS,DELAY","orcpt":"rfc822;z@x"},
         {"address":"a@x","notify":"NEVER,DELAY","orcpt":"rfc822;a+0D+0A"},{"address":"gone@x","notify":"NEVER"}]}})",
      recipients);
  CHECK(request.returns == mail::Return::Headers);
  CHECK(request.envelope_id == "Q+2Bq");
  REQUIRE(request.recipients.size() == 3);
  CHECK(request.of(0).is_empty());  // what SMTP would not have taken
  CHECK(request.of(1).is_empty());
  CHECK(request.of(2).notify == (mail::kSuccess | mail::kDelay));
  CHECK(request.of(2).original_recipient == "rfc822;z@x");

  const auto again = chain::dsn_of(chain::dsn_context(request, recipients), recipients);
  CHECK(again.envelope_id == "Q+2Bq");
  CHECK(again.of(2).original_recipient == "rfc822;z@x");
  CHECK(chain::dsn_of("{}", recipients).is_empty());
  CHECK(chain::dsn_of("\"dsn\"", recipients).is_empty());
  CHECK(chain::dsn_context({}, recipients).empty());
}

TEST_CASE("context: the stage whose rules are asked for, wherever it stands") {
  CHECK(chain::stage_in(R"({"stage":"postq"})") == "postq");
  CHECK(chain::stage_in(R"({"stage":"delivery","connection":{"stage":"x"}})") == "delivery");
  CHECK(chain::stage_in(R"({ "stage" : "delivery" })") == "delivery");
  CHECK(chain::stage_in(R"({"metadata":{"stage":"x"},"stage":"p\u006fstq"})") == "postq");
  for (const auto* without : {"", "{}", R"({"stage":7})", R"({"quarantine":{"stage":"postq"}})", R"({"stage":"postq)", "nonsense \"stage\""}) {
    CAPTURE(without);
    CHECK(chain::stage_in(without).empty());
  }
}
