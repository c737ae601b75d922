#include "kernels/cpu/broadcast_walk.h"

#include <catch2/catch.hpp>

#include "kernels/api/strided_view.h"

namespace rm::kernels::cpu {
namespace {

struct Form {
  std::vector<Shape> operands;
  Shape output;
  int64_t runs, run;
};

const Form kForms[] = {
    {{{2, 3, 4}, {2, 3, 4}}, {2, 3, 4}, 1, 24},
    {{{2, 3, 4}, {4}}, {2, 3, 4}, 6, 4},
    {{{2, 3, 4}, {3, 4}}, {2, 3, 4}, 2, 12},
    {{{2, 3, 4}, {}}, {2, 3, 4}, 1, 24},
    {{{1, 1}, {2, 3}}, {2, 3}, 1, 6},
    {{{2, 3, 4, 5}, {3, 1, 1}}, {2, 3, 4, 5}, 6, 20},
    {{{2, 1}, {1, 3}}, {2, 3}, 2, 3},
    {{{2, 3, 4, 1}, {3, 1, 1}}, {2, 3, 4, 1}, 6, 4},
    {{{9, 9}, {2, 3, 9, 9}, {}}, {2, 3, 9, 9}, 6, 81},
    {{{}, {}}, {}, 1, 1},
    {{{1}, {1, 1}}, {1, 1}, 1, 1},
    {{{0, 3}, {1, 3}}, {0, 3}, 0, 3},
    {{{3, 0}, {}}, {3, 0}, 1, 0},
    {{{3, 1, 2, 1, 4}, {1, 5, 2, 3, 1}}, {3, 5, 2, 3, 4}, 90, 4},
};

TEST_CASE("neighbouring loops become one") {
  for (const Form& form : kForms) {
    const BroadcastWalk walk(form.output, form.operands);
    INFO(ShapeString(form.operands[0]) << " and " << ShapeString(form.operands[1]));
    CHECK(walk.run() * walk.runs() == ElementCount(form.output));
    CHECK(walk.run() == form.run);
    CHECK(walk.runs() == form.runs);
  }
}

TEST_CASE("every element finds its operands") {
  for (const Form& form : kForms) {
    const BroadcastWalk walk(form.output, form.operands);
    int64_t next = 0;
    walk.For(0, walk.runs(), [&](int64_t y, const int64_t* at) {
      CHECK(y == next);
      for (int64_t i = 0; i < walk.run(); ++i) {
        for (size_t k = 0; k < form.operands.size(); ++k) {
          const int64_t found = at[k] + (walk.repeats(k) ? 0 : i);
          CHECK(found == BroadcastView(form.operands[k], form.output).At(y + i));
        }
      }
      next += walk.run();
    });
    CHECK(next == ElementCount(form.output));
  }
}

TEST_CASE("a part of the runs begins where it should") {
  const BroadcastWalk walk({2, 3, 4}, {{2, 3, 4}, {3, 1}});
  std::vector<int64_t> places;
  walk.For(4, 6, [&](int64_t y, const int64_t* at) {
    places.push_back(y);
    places.push_back(at[1]);
  });
  CHECK(places == std::vector<int64_t>{16, 1, 20, 2});
}

}  // namespace
}  // namespace rm::kernels::cpu
