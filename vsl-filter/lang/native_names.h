// The checker's view of the table of native functions.
#pragma once

#include "vsl-filter/lang/check.h"
#include "vsl-filter/lang/native.h"

namespace vsl {

class NativeNames : public HostNames {
 public:
  // `natives` stays the caller's.
  explicit NativeNames(const Natives& natives) : natives_(natives) {}

  [[nodiscard]] bool has_namespace(std::string_view path) const override { return natives_.has_space(path); }
  [[nodiscard]] bool has_function(std::string_view path, std::string_view name, std::size_t arguments) const override;
  [[nodiscard]] bool has_value(std::string_view path, std::string_view name) const override;
  [[nodiscard]] bool is_result_needed(std::string_view path, std::string_view name) const override;
  void each(std::string_view path, const std::function<void(std::string_view name, std::size_t arguments)>& see) const override;
  void each_namespace(const std::function<void(std::string_view path)>& see) const override;

 private:
  const Natives& natives_;
};

}  // namespace vsl
