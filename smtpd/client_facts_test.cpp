#include "smtpd/client_facts.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace smtpd;

TEST_CASE("what is known of a client: nothing, and everything") {
  Standing standing;
  std::string question;
  append_client(PolicyAttributes{question, false}, {standing, nullptr});
  CHECK(question == "stress=\nclient_counts=\nnetwork_counts=\nclient_reputation=unknown\nearly_talker=\ndnsbl_score=0\ndnsbl_lists=\n");
  question.clear();
  append_client(PolicyAttributes{question, true}, {standing, nullptr});
  CHECK(question == "client_reputation=unknown\ndnsbl_score=0\n");
  CHECK(json_of({standing, nullptr}) == R"({"reputation":"unknown"})");

  standing.client = {1, 2, 3, 4, 4.5, 6, 7};
  standing.network = {0, 0, 0, 0, 0, 0, 1};
  standing.reputation = "bad";
  standing.is_stressed = true;
  const DnsListFindings findings{.score = -2, .lists = {"a.example", "b.example"}};
  question.clear();
  append_client(PolicyAttributes{question, false}, {standing, &findings, true});
  CHECK(question == "stress=yes\nclient_counts=connections=1 messages=2 recipients=3 octets=4 errors=5 failed_log_ins=6 accepted=7\n"
                    "network_counts=connections=0 messages=0 recipients=0 octets=0 errors=0 failed_log_ins=0 accepted=1\n"
                    "client_reputation=bad\nearly_talker=yes\ndnsbl_score=-2\ndnsbl_lists=a.example b.example\n");
  const auto json = nlohmann::json::parse(json_of({standing, &findings, true}));
  CHECK(json["client"]["errors"] == 5);
  CHECK(json["network"]["accepted"] == 1);
  CHECK(json["dnsbl_score"] == -2);
  CHECK(json["dnsbl_lists"] == nlohmann::json({"a.example", "b.example"}));
  CHECK(json["early_talker"] == true);
  CHECK(json["stress"] == true);
}
