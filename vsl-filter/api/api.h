// The API of rules as tables: one row a function, with every spelling that any version had (vsl.md 3 and appendix A).
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string_view>

#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/native.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/transaction/stage.h"

namespace rules {

using Arguments = std::span<vsl::Value>;

// ctx(), msg(), srv(): what scripts of v1 hand to functions, or call them on. They stand for the one transaction there is.
extern const vsl::HostClass kHandleClass;

// The same function with a handle in front of its arguments.
template <vsl::Native kRun>
vsl::Result behind_handle(vsl::Run& run, Arguments a) {
  return kRun(run, a.subspan(1));
}

// Above the flags of the language.
inline constexpr std::uint16_t kAtLoad = vsl::kStage;           // works while a rule set is being loaded
inline constexpr std::uint16_t kNoHandle = vsl::kStage << 1;    // no form with ctx() or msg() in front
inline constexpr std::uint16_t kSpelling = vsl::kStage << 2;    // of generated rows: another spelling of a function
inline constexpr std::uint16_t kDeprecated = vsl::kStage << 3;  // ... of v0
inline constexpr std::uint16_t kGivesStatus = vsl::kStage << 4; // its value is a status
inline constexpr std::uint16_t kWaits = vsl::kStage << 5;       // waits for DNS, a disk or a program, or makes what does (services)

struct ApiRow {
  std::string_view name;     // "client_ip", "spf::check"
  std::string_view aliases;  // separated by blanks; with their namespaces
  vsl::Parameters parameters;
  std::uint16_t flags;
  Stages stages;             // where it is of use
  vsl::Native run;
  vsl::Native behind_handle;
  std::string_view doc;
};

// api<client_ip>("client_ip", "ctx::client_ip", {}, kEvery, "...")
template <vsl::Native kRun>
constexpr ApiRow api(std::string_view name, std::string_view aliases, vsl::Parameters parameters, Stages stages, std::string_view doc,
                     std::uint16_t flags = vsl::kPure) {
  return {name, aliases, parameters, flags, stages, kRun, behind_handle<kRun>, doc};
}

// Everything that rules may call: the language's functions and those of all files of this folder and of services/.
class Api {
 public:
  // The configuration of the site, which outlives this, becomes toml::.
  explicit Api(const Site& site);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Each row under its name and aliases, under vsl:: (v0), and in both styles on handles: ctx().NAME(...), sys::NAME(ctx(), ...).
  void add(std::span<const ApiRow> rows);
  void add(std::span<const vsl::NativeRow> rows) { natives_.add(rows); }
  [[nodiscard]] vsl::Natives& natives() { return natives_; }
  [[nodiscard]] const vsl::Natives& natives() const { return natives_; }

 private:
  void add_spelling(const ApiRow& row, std::string_view space, std::string_view name, std::uint16_t flags);
  void add_with_handle(const ApiRow& row, std::string_view space, std::string_view name);

  vsl::Natives natives_;
  std::deque<vsl::NativeRow> made_;
};

// Stages in which a function of the API is of use; of others: all.
inline Stages stages_of(const vsl::NativeRow& row) { return row.host_data == 0 ? kEvery : row.host_data; }

// The files of this folder.
std::span<const ApiRow> constructor_rows();
std::span<const ApiRow> status_rows();
std::span<const ApiRow> context_rows();
std::span<const ApiRow> envelope_rows();
std::span<const ApiRow> header_rows();
std::span<const ApiRow> message_rows();
std::span<const ApiRow> mime_rows();
std::span<const ApiRow> body_rows();
std::span<const ApiRow> transport_rows();
std::span<const ApiRow> file_rows();
std::span<const ApiRow> variable_rows();
std::span<const ApiRow> system_rows();
std::span<const ApiRow> relay_rows();
std::span<const ApiRow> dns_rows();
std::span<const ApiRow> spf_rows();
std::span<const ApiRow> dkim_rows();
std::span<const ApiRow> dkim_sign_rows();
std::span<const ApiRow> dmarc_rows();
std::span<const ApiRow> arc_rows();
std::span<const ApiRow> auth_results_rows();
std::span<const ApiRow> rate_rows();
std::span<const ApiRow> greylist_rows();
std::span<const ApiRow> hook_rows();
std::span<const ApiRow> queue_rows();
std::span<const ApiRow> return_path_rows();
std::span<const ApiRow> send_mail_rows();
std::span<const ApiRow> authenticate_rows();

// The predefined codes and networks (3.1, 3.13).
void add_predefined(vsl::Natives& natives);
// toml:: and cfg:: (3.14).
void add_configuration(vsl::Natives& natives, const Site& site);

}  // namespace rules
