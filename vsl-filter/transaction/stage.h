// The stages of a transaction at which rules run (vsl.md 2.2), with all names they ever had.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rules {

enum class Stage : std::uint8_t { Connect, Helo, Authenticate, Mail, Rcpt, Data, Preq, Postq, Delivery };

struct StageRow {
  Stage stage;
  std::string_view name;
  std::string_view aliases;    // separated by blanks
  std::string_view available;  // what rules know from here on
};

inline constexpr auto kStages = std::to_array<StageRow>({
    // stage             name            aliases                            available from here on
    {Stage::Connect, "connect", "on_connect", "client and server address, time of the connection"},
    {Stage::Helo, "helo", "on_helo", "the name of HELO or EHLO"},
    {Stage::Authenticate, "authenticate", "auth on_auth", "credentials"},
    {Stage::Mail, "mail", "mail_from on_mail_from", "the sender, the message id"},
    {Stage::Rcpt, "rcpt", "rcpt_to on_rcpt_to", "the recipient, which is the last of the list"},
    {Stage::Data, "data", "on_data", "all recipients"},
    {Stage::Preq, "preq", "pre_queue on_pre_queue", "the message"},
    {Stage::Postq, "postq", "post_queue on_post_queue", "the message, from the queue"},
    {Stage::Delivery, "delivery", "deliver", "the message, just before it is sent"},
});

constexpr const StageRow& row_of(Stage stage) { return kStages[static_cast<std::size_t>(stage)]; }
constexpr std::string_view name_of(Stage stage) { return row_of(stage).name; }
std::optional<Stage> stage_of(std::string_view name_or_alias);

// The client waits for a reply.
constexpr bool has_client(Stage stage) { return stage < Stage::Postq; }
// What is learnt or added here stays for the connection, not for one transaction (vsl.md 2.4, 2.9).
constexpr bool is_of_connection(Stage stage) { return stage < Stage::Mail; }

// Sets of stages, as the table of availability (3.15) has them.
using Stages = std::uint32_t;
constexpr Stages only(Stage stage) { return 1u << static_cast<unsigned>(stage); }
inline constexpr Stages kEvery = (1u << kStages.size()) - 1;
constexpr Stages from(Stage stage) { return kEvery & ~(only(stage) - 1); }
constexpr bool has(Stages stages, Stage stage) { return (stages & only(stage)) != 0; }
// The earliest of a set that is not empty.
constexpr Stage first_of(Stages stages) {
  std::size_t i = 0;
  while ((stages >> i & 1) == 0) ++i;
  return static_cast<Stage>(i);
}

}  // namespace rules
