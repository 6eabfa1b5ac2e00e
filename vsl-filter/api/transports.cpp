// How each recipient's mail goes on (vsl.md 3.6). The last call wins.
#include <algorithm>
#include <array>

#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

using Method = chain::TransferMethod;

Result set_one(Run& run, const Value& recipient, const chain::Transfer& transfer) {
  auto address = address_argument(recipient);
  if (!address) return pass_on(address);
  auto session = session_for_recipients(run);
  if (!session) return pass_on(session);
  Transaction* transaction = (*session)->transaction();
  if (transaction == nullptr) return vsl::fail_api("could not find rcpt '" + *address + "'");
  return done(transaction->recipients.set_transfer(*address, transfer));
}

Result set_all(Run& run, const chain::Transfer& transfer) {
  auto session = session_for_recipients(run);
  if (!session) return pass_on(session);
  if (Transaction* transaction = (*session)->transaction(); transaction != nullptr) transaction->recipients.set_transfer_of_all(transfer);
  return Value();
}

template <Method kMethod>
Result one(Run& run, Arguments a) {
  return set_one(run, a[0], {.method = kMethod, .target = {}, .words = {}});
}

template <Method kMethod>
Result all(Run& run, Arguments) {
  return set_all(run, {.method = kMethod, .target = {}, .words = {}});
}

Result forward(Run& run, Arguments a) {
  const auto transfer = forward_to(name_argument(a[1]));
  if (!transfer) return fail_with(transfer.error());
  return set_one(run, a[0], *transfer);
}

Result forward_all(Run& run, Arguments a) {
  const auto transfer = forward_to(name_argument(a[0]));
  if (!transfer) return fail_with(transfer.error());
  return set_all(run, *transfer);
}

// Words of a transport come to stand in one argument of a program.
vsl::Expected<std::string> words_argument(const Value& value, std::string_view what) {
  std::string words = name_argument(value);
  if (words.empty() || words.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return vsl::fail_api("'" + words + "' is no " + std::string(what));
  return words;
}

// HOST of the delivery call.
vsl::Expected<chain::Transfer> lmtp_to(const Value& value) {
  auto words = words_argument(value, "LMTP server");
  if (!words) return pass_on(words);
  if (words->starts_with("unix:/")) return chain::Transfer{Method::Lmtp, {}, *std::move(words)};
  const auto target = chain::ForwardTarget::parse(*words);
  if (!target || target->kind == chain::ForwardTarget::Kind::Url) return vsl::fail_api("'" + *words + "' is no LMTP server; expected: unix:/PATH, HOST or HOST:PORT");
  return chain::Transfer{Method::Lmtp, {}, target->delivery_host()};
}

Result lmtp(Run& run, Arguments a) {
  auto transfer = lmtp_to(a[1]);
  if (!transfer) return pass_on(transfer);
  return set_one(run, a[0], *transfer);
}

Result lmtp_all(Run& run, Arguments a) {
  auto transfer = lmtp_to(a[0]);
  if (!transfer) return pass_on(transfer);
  return set_all(run, *transfer);
}

Result program(Run& run, Arguments a) {
  auto words = words_argument(a[1], "name of a transport");
  if (!words) return pass_on(words);
  return set_one(run, a[0], {Method::Program, {}, *std::move(words)});
}

Result program_all(Run& run, Arguments a) {
  auto words = words_argument(a[0], "name of a transport");
  if (!words) return pass_on(words);
  return set_all(run, {Method::Program, {}, *std::move(words)});
}

Result pipe_to(Run& run, Arguments a) {
  auto words = words_argument(a[1], "command line");
  if (!words) return pass_on(words);
  return set_one(run, a[0], {Method::Pipe, {}, *std::move(words)});
}

// The routing paths of v3: one name says what the functions above are called.
struct PathRow {
  std::string_view name;
  Method method;
};
constexpr auto kPaths = std::to_array<PathRow>({
    {"deliver", Method::Deliver},
    {"basic", Method::Deliver},
    {"maildir", Method::Maildir},
    {"mbox", Method::Mbox},
    {"none", Method::None},
});
constexpr std::string_view kForwardPath = "forward.";

vsl::Expected<chain::Transfer> transfer_of_path(const std::string& path) {
  if (path.starts_with(kForwardPath)) {
    auto transfer = forward_to(path.substr(kForwardPath.size()));
    if (!transfer) return fail_with(transfer.error());
    return *std::move(transfer);
  }
  const auto row = std::ranges::find(kPaths, path, &PathRow::name);
  if (row != kPaths.end()) return chain::Transfer{.method = row->method, .target = {}, .words = {}};
  return vsl::fail_api("'" + path + "' is no routing path; expected: deliver, maildir, mbox, none, or forward.TARGET");
}

Result set_routing_path(Run& run, Arguments a) {
  auto transfer = transfer_of_path(name_argument(a[1]));
  if (!transfer) return pass_on(transfer);
  return set_one(run, a[0], *transfer);
}

Result set_routing_path_of_all(Run& run, Arguments a) {
  auto transfer = transfer_of_path(name_argument(a[0]));
  if (!transfer) return pass_on(transfer);
  return set_all(run, *transfer);
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Mail);
constexpr ApiRow kRows[] = {
    api<one<Method::Deliver>>("deliver", "transport::deliver", {Any}, kFrom, "this recipient's mail goes to the mail exchangers of the domain"),
    api<all<Method::Deliver>>("deliver_all", "transport::deliver_all", {}, kFrom, "all mail goes to the mail exchangers of its domains"),
    api<forward>("forward", "transport::forward", {Any, Any}, kFrom, "this recipient's mail goes to a host: \"HOST\", \"IP\", \"IP:PORT\", \"[IPv6]:PORT\""),
    api<forward_all>("forward_all", "transport::forward_all", {Any}, kFrom, "all mail goes to a host"),
    api<one<Method::Maildir>>("maildir", "transport::maildir", {Any}, kFrom, "this recipient's mail goes to a local Maildir"),
    api<all<Method::Maildir>>("maildir_all", "transport::maildir_all", {}, kFrom, "all mail goes to local Maildirs"),
    api<one<Method::Mbox>>("mbox", "transport::mbox transport::mailbox", {Any}, kFrom, "this recipient's mail goes to a local mailbox file"),
    api<all<Method::Mbox>>("mbox_all", "transport::mbox_all transport::mailbox_all", {}, kFrom, "all mail goes to local mailbox files"),
    api<one<Method::None>>("disable_delivery", "transport::disable_delivery", {Any}, kFrom, "nothing is sent to this recipient"),
    api<all<Method::None>>("disable_delivery_all", "transport::disable_delivery_all", {}, kFrom, "nothing is sent to anybody"),
    api<lmtp>("lmtp", "transport::lmtp", {Any, Any}, kFrom, "this recipient's mail goes to an LMTP server: \"unix:/PATH\", \"HOST\", \"HOST:PORT\""),
    api<lmtp_all>("lmtp_all", "transport::lmtp_all", {Any}, kFrom, "all mail goes to an LMTP server"),
    api<program>("program", "transport::program", {Any, Any}, kFrom, "this recipient's mail goes to a transport by its name: a section [transport] of vsmtp.ini"),
    api<program_all>("program_all", "transport::program_all", {Any}, kFrom, "all mail goes to a transport by its name"),
    api<pipe_to>("pipe_to", "transport::pipe_to", {Any, Any}, kFrom, "this recipient's mail goes to a command line, which the transport pipe runs"),
    api<set_routing_path>("set_routing_path", "ctx::set_routing_path", {Any, Any}, kFrom,
                          "this recipient's mail goes this way: \"deliver\", \"maildir\", \"mbox\", \"none\", \"forward.TARGET\" (v3)"),
    api<set_routing_path_of_all>("set_routing_path", "ctx::set_routing_path", {Any}, kFrom, "all mail goes this way (v3)"),
};

}  // namespace

std::span<const ApiRow> transport_rows() { return kRows; }

}  // namespace rules
