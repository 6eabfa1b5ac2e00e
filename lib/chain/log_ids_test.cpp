#include "lib/chain/log_ids.h"

#include <doctest/doctest.h>

using chain::LogIds;

TEST_CASE("log ids: the transaction is metadata.message_id of the context") {
  struct Row {
    std::string_view context, expected;
  };
  const Row rows[] = {
      {R"({"metadata":{"timestamp":"2026-11-22T00:00:00Z","message_id":"1NH7ZK4TQ2N00A3W05-2","skipped":null}})", "1NH7ZK4TQ2N00A3W05-2"},
      {"{ \"metadata\" : {\n\t\"message_id\" : \"A-1\" } }", "A-1"},  // as other programs write it
      {R"({"message_id":"A-1","metadata":{}})", ""},                   // of something else
      {R"({"helo":"\"metadata\":{\"message_id\":\"X\"","metadata":{"message_id":"A-1"}})", "A-1"},
      {R"({"metadata":{"message_id":"a b"}})", ""},                    // would be two words of a line
      {R"({"metadata":{"message_id":""}})", ""},
      {R"({"metadata":{"message_id":7}})", ""},
      {R"({"metadata":{"message_id":")", ""},
      {R"({"metadata")", ""},
      {"{}", ""},
      {"", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.context);
    CHECK(chain::transaction_of(row.context) == row.expected);
  }
  const std::string longest(64, 'a');
  CHECK(chain::transaction_of(R"({"metadata":{"message_id":")" + longest + R"("}})") == longest);
  CHECK(chain::transaction_of(R"({"metadata":{"message_id":")" + longest + R"(a"}})").empty());
}

TEST_CASE("log ids: a delivery call has them in its environment, a message call in its context") {
  chain::Call call;
  call.kind = chain::Kind::Delivery;
  LogIds{"ID", "S-1"}.append_to(call.environment);
  CHECK(call.environment == chain::Words{"QUEUEID=ID", "SMTPTRANSACTION=S-1"});
  CHECK(LogIds::of(call).id == "ID");
  CHECK(LogIds::of(call).transaction == "S-1");
  call.environment = {"QUEUEID=a\nb", "SMTPTRANSACTION="};
  CHECK(LogIds::of(call).id.empty());
  CHECK(LogIds::of(call).transaction.empty());

  call.kind = chain::Kind::Message;
  call.environment = {"QUEUEID=ID"};  // that of the caller's own message
  call.context = R"({"metadata":{"message_id":"S-1"}})";
  CHECK(LogIds::of(call).id.empty());
  CHECK(LogIds::of(call).transaction == "S-1");
}

TEST_CASE("log ids: each line has an id, and the transaction beside it where that is another") {
  const auto text = [](const LogIds& ids) {
    std::string line;
    for (const auto& field : ids.before({{"to", "x"}})) line.append(field.name).append("=").append(field.value).append(" ");
    return line;
  };
  CHECK(text({"Q", "S-1"}) == "id=Q transaction=S-1 to=x ");
  CHECK(text({"", "S-1"}) == "id=S-1 to=x ");
  CHECK(text({"Q", ""}) == "id=Q to=x ");
  CHECK(text({"Q", "Q"}) == "id=Q to=x ");  // a notice names itself
  CHECK(text({"", ""}) == "to=x ");
}
