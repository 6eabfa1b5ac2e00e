#include "deliver-maildir/deliverer.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "deliver-maildir/test_directory.h"
#include "lib/base/io.h"

using maildir::Deliverer;
using maildir::DeliveryRules;
using maildir::Maildir;
using maildir::Parcel;
using maildir::Reason;

namespace {

DeliveryRules rules_in(const TestDirectory& directory) {
  DeliveryRules rules;
  rules.where = maildir::MailboxTemplate::parse(directory.path + "/mail/{domain}/{user}").value();
  return rules;
}

Parcel parcel_for(std::vector<std::string> recipients) {
  Parcel parcel;
  parcel.message = base::Blob::of_octets("Return-Path: <old@example.com>\r\nSubject: x\r\n\r\nbody\r\n");
  parcel.sender = "me@example.com";
  parcel.default_domain = "default.example";
  for (auto& address : recipients) parcel.recipients.emplace_back().address = std::move(address);
  return parcel;
}

void deliver_one(Deliverer& deliverer, Parcel& parcel) {
  Parcel* const parcels[] = {&parcel};
  deliverer.deliver(parcels);
}

Reason reason_of(const Parcel& parcel, std::size_t recipient = 0) {
  REQUIRE(parcel.recipients[recipient].refusal);
  CHECK_FALSE(parcel.recipients[recipient].is_delivered);
  return parcel.recipients[recipient].refusal->reason;
}

}  // namespace

TEST_CASE("deliver-maildir: many parcels of one call land whole, each with its own fields") {
  const TestDirectory directory;
  auto rules = rules_in(directory);
  rules.creates = true;
  rules.open_max = 2;
  ::mkdir((directory.path + "/mail").c_str(), 0700);
  Deliverer deliverer(rules, "host.example");
  std::vector<Parcel> parcels;
  for (int i = 0; i < 20; ++i) parcels.push_back(parcel_for({"a" + std::to_string(i % 5) + "@example.org", "b@example.org"}));
  std::vector<Parcel*> pointers;
  for (auto& parcel : parcels) pointers.push_back(&parcel);
  deliverer.deliver(pointers);
  for (const auto& parcel : parcels) {
    for (const auto& recipient : parcel.recipients) {
      REQUIRE(recipient.is_delivered);
      CHECK(base::read_file(recipient.file, 1000).value() ==
            "Return-Path: <me@example.com>\nDelivered-To: " + recipient.address + "\nSubject: x\n\nbody\n");
    }
  }
  CHECK(files_in(directory.path + "/mail/example.org/b/new").size() == 20);
  CHECK(files_in(directory.path + "/mail/example.org/a0/new").size() == 4);
  CHECK(files_in(directory.path + "/mail/example.org/b/tmp").empty());
}

TEST_CASE("deliver-maildir: file names tell both sizes, if so set") {
  const TestDirectory directory;
  REQUIRE(Maildir::create(directory.path + "/mail/example.org/joe"));
  auto rules = rules_in(directory);
  for (const bool with_sizes : {true, false}) {
    rules.size_in_name = with_sizes;
    Deliverer deliverer(rules, "host.example");
    auto parcel = parcel_for({"joe@example.org"});
    deliver_one(deliverer, parcel);
    REQUIRE(parcel.recipients[0].is_delivered);
    const auto octets = base::read_file(parcel.recipients[0].file, 1000).value();
    const auto lines = static_cast<std::size_t>(std::ranges::count(octets, '\n'));
    const std::string sizes = ",S=" + std::to_string(octets.size()) + ",W=" + std::to_string(octets.size() + lines);
    CHECK(parcel.recipients[0].file.ends_with(".host.example" + (with_sizes ? sizes : "")));
  }
}

TEST_CASE("deliver-maildir: a recipient without a Maildir is unknown; a file system that is not there is trouble") {
  const TestDirectory directory;
  auto rules = rules_in(directory);
  {
    Deliverer deliverer(rules, "h");
    auto parcel = parcel_for({"joe@example.org"});
    deliver_one(deliverer, parcel);
    CHECK(reason_of(parcel) == Reason::Trouble);  // mail/ itself is missing
  }
  {
    rules.creates = true;
    Deliverer deliverer(rules, "h");
    auto parcel = parcel_for({"joe@example.org"});
    deliver_one(deliverer, parcel);
    CHECK(reason_of(parcel) == Reason::Trouble);
    rules.creates = false;
  }
  REQUIRE(Maildir::create(directory.path + "/mail/example.org/joe"));
  for (const bool temporary : {false, true}) {
    rules.unknown_is_temporary = temporary;
    Deliverer deliverer(rules, "h");
    auto parcel = parcel_for({"jane@example.org", "joe@example.org", "../joe@example.org"});
    deliver_one(deliverer, parcel);
    CHECK(reason_of(parcel, 0) == (temporary ? Reason::NoMailboxYet : Reason::NoSuchMailbox));
    CHECK(parcel.recipients[1].is_delivered);
    CHECK(reason_of(parcel, 2) == Reason::BadRecipient);
  }
  Deliverer deliverer(rules, "h");
  std::filesystem::remove(directory.path + "/mail/example.org/joe/tmp");
  auto parcel = parcel_for({"joe@example.org"});
  deliver_one(deliverer, parcel);
  CHECK(reason_of(parcel) == Reason::Trouble);  // there, but broken
}

TEST_CASE("deliver-maildir: all or nothing: one recipient that cannot have it keeps it from the others") {
  const TestDirectory directory;
  REQUIRE(Maildir::create(directory.path + "/mail/example.org/joe"));
  Deliverer deliverer(rules_in(directory), "h");
  auto together = parcel_for({"joe@example.org", "jane@example.org"});
  together.all_or_nothing = true;
  auto other = parcel_for({"joe@example.org"});
  Parcel* const parcels[] = {&together, &other};
  deliverer.deliver(parcels);
  CHECK_FALSE(together.recipients[0].is_delivered);
  CHECK_FALSE(together.recipients[0].refusal);
  CHECK(reason_of(together, 1) == Reason::NoSuchMailbox);
  CHECK(other.recipients[0].is_delivered);
  CHECK(files_in(directory.path + "/mail/example.org/joe/new").size() == 1);
}

TEST_CASE("deliver-maildir: a Maildir that was moved while open gets no more mail under its old name") {
  const TestDirectory directory;
  const std::string path = directory.path + "/mail/example.org/joe";
  REQUIRE(Maildir::create(path));
  Deliverer deliverer(rules_in(directory), "h");
  auto first = parcel_for({"joe@example.org"});
  deliver_one(deliverer, first);
  CHECK(first.recipients[0].is_delivered);
  std::filesystem::rename(path, path + ".old");
  auto second = parcel_for({"joe@example.org"});
  deliver_one(deliverer, second);
  CHECK(reason_of(second) == Reason::NoSuchMailbox);
  REQUIRE(Maildir::create(path));
  auto third = parcel_for({"joe@example.org"});
  deliver_one(deliverer, third);
  CHECK(third.recipients[0].is_delivered);
  CHECK(files_in(path + "/new").size() == 1);
  CHECK(files_in(path + ".old/new").size() == 1);
}

TEST_CASE("deliver-maildir: a sender cannot add header fields") {
  const TestDirectory directory;
  REQUIRE(Maildir::create(directory.path + "/mail/example.org/joe"));
  Deliverer deliverer(rules_in(directory), "h");
  auto parcel = parcel_for({"joe@example.org"});
  parcel.sender = "me@example.com>\nX-Evil: 1";
  deliver_one(deliverer, parcel);
  CHECK(reason_of(parcel) == Reason::BadSender);
  CHECK(files_in(directory.path + "/mail/example.org/joe/new").empty());
}

TEST_CASE("deliver-maildir: no more Maildirs stay open than set, the ones used last") {
  const TestDirectory directory;
  maildir::OpenMaildirs open(2);
  for (const auto* name : {"/a", "/b", "/c"}) REQUIRE(Maildir::create(directory.path + name));
  open.add(Maildir::open(directory.path + "/a").value());
  open.add(Maildir::open(directory.path + "/b").value());
  CHECK(open.find(directory.path + "/a"));
  open.add(Maildir::open(directory.path + "/c").value());
  CHECK(open.size() == 2);
  CHECK(open.find(directory.path + "/a"));
  CHECK_FALSE(open.find(directory.path + "/b"));
  CHECK(open.find(directory.path + "/c"));
}
