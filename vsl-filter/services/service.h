// Services: what rules use beside the message and that lives longer than a run (vsl.md 2.6). Each kind is a row: its options, and
// how one is made of them. `service NAME kind = #{...}` and the constructor functions of v2 make the same.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/native.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/services/service_options.h"

namespace rules {

using ServiceArguments = std::span<vsl::Value>;

// Used by many runs and threads at once. What a kind does not offer is an error that says so.
class Service {
 public:
  Service(std::string name, std::string_view kind) : name_(std::move(name)), kind_(kind) {}
  virtual ~Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string_view kind() const { return kind_; }

  // NAME.run([args[, input]])
  virtual vsl::Result run(vsl::Run& run, ServiceArguments arguments);
  // NAME.get(key), NAME.set(record), NAME.rm(key)
  virtual vsl::Result get(vsl::Run& run, ServiceArguments arguments);
  virtual vsl::Result set(vsl::Run& run, ServiceArguments arguments);
  virtual vsl::Result remove(vsl::Run& run, ServiceArguments arguments);
  // NAME.query(sql[, params])
  virtual vsl::Result query(vsl::Run& run, ServiceArguments arguments);

  // An error that scripts catch: "service 'NAME': CAUSE".
  [[nodiscard]] std::unexpected<vsl::Failure> fail(std::string_view cause) const;

 private:
  std::string name_;
  std::string_view kind_;
};

struct ServiceKind {
  std::string_view name;         // "cmd", "db:csv"
  std::string_view label;        // in errors: "cmd service", "database"
  std::string_view space;        // v2: space::function
  std::string_view constructor;
  std::span<const OptionRow> options;
  // May fail: files that are not there.
  vsl::Expected<std::unique_ptr<Service>> (*make)(vsl::Run& run, std::string name, const ServiceOptions& options);
  std::string_view doc;
};

extern const ServiceKind kCommandKind;
extern const ServiceKind kCsvKind;
extern const ServiceKind kSqliteKind;
std::span<const ServiceKind* const> service_kinds();

extern const vsl::HostClass kServiceClass;
// The service behind a value, or null.
Service* service_of(const vsl::Value& value);

// process::run(#{args: [...]}) of v3: a program without a service.
vsl::Result run_process(vsl::Run& run, ServiceArguments arguments);

// make_service(NAME, KIND, MAP) of the declaration, the constructors, and the methods.
std::span<const vsl::NativeRow> service_rows();

// Waiting in a service is not the directive's time.
class Waiting {
 public:
  explicit Waiting(vsl::Run& run) : run_(run) { run_.pause_clock(); }
  ~Waiting() { run_.resume_clock(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  vsl::Run& run_;
};

}  // namespace rules
