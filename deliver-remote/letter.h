// A message to be sent, in one piece and looked at once.
#pragma once

#include <memory>

#include "lib/base/blob.h"
#include "lib/smtp/message_needs.h"

namespace remote {

struct Letter {
  base::Blob blob;
  base::Blob::View view;
  smtp::MessageNeeds needs;

  [[nodiscard]] static base::Result<std::shared_ptr<const Letter>> open(base::Blob blob) {
    auto letter = std::make_shared<Letter>();
    letter->blob = std::move(blob);
    auto view = letter->blob.view();
    if (!view) return std::unexpected(std::move(view.error()));
    letter->view = std::move(*view);
    letter->needs = smtp::scan_message(letter->view.octets());
    return letter;
  }
};

}  // namespace remote
