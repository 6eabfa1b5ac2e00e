// deliver-maildir: put a message into Maildirs. See deliver-maildir(8).
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>

#include "deliver-maildir/calls.h"
#include "deliver-maildir/deliverer.h"
#include "deliver-maildir/resident.h"
#include "lib/base/command_line.h"
#include "lib/base/confinement.h"
#include "lib/base/exits.h"
#include "lib/base/service.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

namespace {

using base::CommandLine;
using maildir::CallRules;
using maildir::Deliverer;
using maildir::Parcel;

constexpr std::string_view kProgram = "deliver-maildir";
constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"maildir", "DIRECTORY", "deliver the message on standard input into this Maildir"},
    {"sender,f", "ADDRESS", "with --maildir: the reverse-path for Return-Path; '' is <>"},
    {"mbox", "", "mailboxes are the files of maildir.mbox_template"},
    {"direct", "", "message call: deliver if all recipients are local, else call the next program"},
    {"resident", "SOCKET", "keep running and serve calls on this Unix socket"},
    base::service::kNotifyOption,
});
constexpr auto kSettings = std::to_array<std::string_view>({
    "maildir.template", "maildir.create", "maildir.unknown", "maildir.line_end", "maildir.fold_case", "maildir.extension_delimiter",
    "maildir.size_in_name", "maildir.open_max", "maildir.batch_files", "maildir.gather", "maildir.direct_recipients_max", "delivery.local_domains", "delivery.srs_domain",
    "server.domain", "server.sandbox", "server.sandbox_folders", "maildir.missing_folder", "maildir.catch_all", "maildir.mbox_template",
    "maildir.mbox_locks", "maildir.mbox_lock_timeout", "delivery.recipient_delimiter",
});
const base::Manual kManual{
    .program = kProgram,
    .section = "8",
    .usage = "[OPTION...] --maildir DIRECTORY [-f SENDER] <message\n"
             "[OPTION...] HOST SENDER RECIPIENT... <message\n"
             "[OPTION...] --direct [-- PROGRAM...]\n"
             "[OPTION...] --resident SOCKET",
    .purpose = "Puts a message into Maildirs, durably: by hand, as a delivery program of queue-run, or at the end of a chain.",
    .examples = "deliver-maildir --maildir ~/Maildir <message\n"
                "deliver-maildir --template /srv/mail/{domain}/{user}/Maildir '' me@example.com you@example.org <message\n"
                "smtpd -- mime-check -- deliver-maildir --direct --local-domains example.org -- queue-inject\n"
                "deliver-maildir --resident /run/vsmtp/maildir.sock",
    .options = kOptions,
    .settings = kSettings,
    .options_end_at_first_argument = true,
};

base::Result<maildir::MboxLocks> mbox_locks(const base::Settings& settings) {
  maildir::MboxLocks locks{false, false, settings.milliseconds("maildir.mbox_lock_timeout")};
  for (const auto& word : settings.words("maildir.mbox_locks")) {
    if (word != "dot" && word != "fcntl") return base::fail(base::Fault::Config, "maildir.mbox_locks: '" + word + "'; expected: dot, fcntl");
    (word == "dot" ? locks.dot : locks.fcntl) = true;
  }
  return locks;
}

base::Result<maildir::DeliveryRules> delivery_rules(const CommandLine& line) {
  const auto& settings = line.settings;
  std::string_view text = line.has("mbox") ? settings.text("maildir.mbox_template") : settings.text("maildir.template");
  const bool is_mbox = base::text::consume(text, "mbox:") || line.has("mbox");
  if (is_mbox && line.has("direct")) return base::fail(base::Fault::Config, "--direct gives all recipients a message or none, which mbox files cannot; expected: a template of Maildirs");
  auto where = maildir::MailboxTemplate::parse(text);
  if (!where) return std::unexpected(where.error());
  auto locks = mbox_locks(settings);
  if (!locks) return std::unexpected(locks.error());
  maildir::DeliveryRules rules;
  rules.where = std::move(*where);
  if (const auto& catch_all = settings.text("maildir.catch_all"); !catch_all.empty()) {
    auto fallback = maildir::MailboxTemplate::parse(catch_all);
    if (!fallback) return std::unexpected(fallback.error());
    rules.catch_all = std::move(*fallback);
  }
  const auto& missing = settings.text("maildir.missing_folder");
  rules.missing_folder = missing == "inbox" ? maildir::MissingFolder::Inbox : missing == "create" ? maildir::MissingFolder::Create : maildir::MissingFolder::Refuse;
  rules.is_mbox = is_mbox;
  rules.locks = *locks;
  rules.names.fold_case = settings.flag("maildir.fold_case");
  rules.names.extension_delimiter = settings.text(settings.is_given("maildir.extension_delimiter") ? "maildir.extension_delimiter" : "delivery.recipient_delimiter");
  rules.creates = settings.flag("maildir.create");
  rules.unknown_is_temporary = settings.text("maildir.unknown") == "temporary";
  rules.line_end = settings.text("maildir.line_end") == "crlf" ? mail::LineEnd::CrLf : mail::LineEnd::Lf;
  rules.size_in_name = settings.flag("maildir.size_in_name");
  rules.open_max = settings.count("maildir.open_max");
  return rules;
}

CallRules call_rules(const base::Settings& settings) {
  CallRules rules;
  rules.local_domains = mail::DomainList(settings.words("delivery.local_domains"));
  rules.srs_domain = settings.text("delivery.srs_domain");
  rules.direct_recipients_max = settings.count("maildir.direct_recipients_max");
  rules.host_domain = base::server_domain(settings);
  return rules;
}

void deliver_one(Deliverer& deliverer, Parcel& parcel) {
  Parcel* const parcels[] = {&parcel};
  deliverer.deliver(parcels);
}

// Says nothing when all went well.
int deliver_by_hand(Deliverer& deliverer, const CommandLine& line) {
  auto message = base::Blob::of_descriptor(STDIN_FILENO, kNoLimit);
  if (!message) return base::report(kProgram, message.error());
  Parcel parcel;
  parcel.message = std::move(*message);
  if (line.has("sender")) parcel.sender = line.text("sender");
  parcel.recipients.emplace_back().directory = line.text("maildir");
  deliver_one(deliverer, parcel);
  const auto& refusal = parcel.recipients.front().refusal;
  return refusal ? base::report(kProgram, {refusal->fault(), refusal->cause, 0}) : 0;
}

int serve_delivery_call(Deliverer& deliverer, const CallRules& rules, const CommandLine& line) {
  return chain::serve_delivery(kProgram, line.arguments, kNoLimit, [&](chain::Invocation& invocation) {
    const auto call = chain::parse_delivery_call(invocation.arguments);
    if (!call) return chain::Answer::exit(base::exit_row(call.error().fault).in_chain);
    Parcel parcel = maildir::parcel_of(*call, std::move(invocation.call.message), rules);
    parcel.log_ids = chain::LogIds::of(invocation.call);
    deliver_one(deliverer, parcel);
    maildir::log_parcel(parcel);
    return chain::to_answer(maildir::report_of(parcel));
  });
}

int serve_message_call(Deliverer& deliverer, const CallRules& rules, const CommandLine& line) {
  return chain::serve_once(kProgram, {}, line.chain, kNoLimit, [&](chain::Invocation& invocation) {
    const bool is_last = invocation.next.empty();
    auto parcel = maildir::direct_parcel(invocation.call, rules, is_last);
    if (!parcel) return std::move(parcel.error());
    parcel->log_ids = chain::LogIds::of(invocation.call);
    deliver_one(deliverer, *parcel);
    maildir::log_parcel(*parcel);
    return maildir::direct_answer(*parcel, is_last);
  });
}

// Maildirs, and nothing else. Where they shall be and are not, nobody can say yet what will be there.
base::Result<void> confine(const base::Settings& settings, const std::vector<std::string>& roots) {
  const auto missing = std::ranges::find_if(roots, [](const std::string& root) { return ::access(root.c_str(), F_OK) != 0; });
  base::Sandbox sandbox;
  sandbox.writable = roots;
  sandbox.limits_tcp = true;
  return base::confine(settings, std::move(sandbox), missing == roots.end() ? base::Obstacle() : "there is no folder " + *missing);
}

int serve_resident(Deliverer deliverer, CallRules rules, const std::vector<std::string>& roots, const CommandLine& line) {
  net::Loop loop;
  maildir::Resident resident(loop, std::move(deliverer), std::move(rules),
                             {line.settings.count("maildir.batch_files"), line.settings.milliseconds("maildir.gather")});
  if (const auto listening = resident.listen(line.text("resident")); !listening) return base::report(kProgram, listening.error());
  if (const auto confined = confine(line.settings, roots); !confined) return base::report(kProgram, confined.error());
  chain::run_until_told(loop, resident.server());
  return 0;
}

base::Result<void> check_usage(const CommandLine& line) {
  const bool is_delivery_call = !line.arguments.empty();
  if (line.has("maildir") + line.has("direct") + line.has("resident") + is_delivery_call != 1)
    return base::fail(base::Fault::Usage, "expected one of --maildir, --direct, --resident, or HOST SENDER RECIPIENT... (see --help)");
  if (line.has_chain && !line.has("direct")) return base::fail(base::Fault::Usage, "a next program behind -- goes with --direct only");
  if (line.has("sender") && !line.has("maildir")) return base::fail(base::Fault::Usage, "--sender goes with --maildir only");
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  if (const auto usage = check_usage(*line); !usage) return base::report(kProgram, usage.error());
  auto rules = delivery_rules(*line);
  if (!rules) return base::report(kProgram, rules.error());
  ::umask(077);
  ::signal(SIGXFSZ, SIG_IGN);  // a file too large for our limit is an error of write(2)
  const auto calls = call_rules(line->settings);
  std::vector<std::string> roots = {rules->where.root()};
  if (rules->catch_all) roots.push_back(rules->catch_all->root());
  Deliverer deliverer(std::move(*rules), calls.host_domain);

  if (line->has("maildir")) return deliver_by_hand(deliverer, *line);
  if (line->has("resident")) return serve_resident(std::move(deliverer), calls, roots, *line);
  if (line->has("direct")) return serve_message_call(deliverer, calls, *line);
  return serve_delivery_call(deliverer, calls, *line);
}
