#include "queue-run/mailing.h"

#include <doctest/doctest.h>

TEST_CASE("mailing: a call and a notification for each recipient") {
  const auto batches = run::one_for_each(std::vector<run::Batch>{{{run::Transport::Remote, "a.example"}, {0, 2}}, {{run::Transport::Local, "b.example"}, {1}}});
  REQUIRE(batches.size() == 3);
  CHECK(batches[1].route.host == "a.example");
  CHECK(batches[1].recipients == std::vector<std::uint32_t>{2});
  CHECK(batches[2].route.transport == run::Transport::Local);

  run::Notice notice;
  notice.kind = run::NoticeKind::Delay;
  notice.told = {{2, run::Action::Delayed, "450 later", {}}, {0, run::Action::Delayed, "450 not now", {}}};
  const auto each = run::one_for_each({notice}, *mail::VerpSender::of("news@lists.example"), {"me@a.example", "you@b.example", "them@a.example"});
  REQUIRE(each.size() == 2);
  CHECK(each[0].to == "news-them=a.example@lists.example");
  CHECK(each[0].told.front().text == "450 later");
  CHECK(each[1].to == "news-me=a.example@lists.example");
  CHECK(each[1].kind == run::NoticeKind::Delay);
}
