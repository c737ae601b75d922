// What moves elements: every element of the result is found by its coordinates.
#include <vector>

#include "tests/graph/double_scene.h"

namespace rm::graph {
namespace {

using kernels::Shape;
using Ints = std::vector<int64_t>;

// The coordinates of element `flat` of a tensor.
Ints Coordinates(const Shape& shape, int64_t flat) {
  Ints at(shape.size());
  for (size_t i = shape.size(); i-- > 0; flat /= shape[i]) at[i] = flat % shape[i];
  return at;
}

// And back.
size_t Flat(const Shape& shape, const Ints& at) {
  int64_t flat = 0;
  for (size_t i = 0; i < shape.size(); ++i) flat = flat * shape[i] + at[i];
  return Size(flat);
}

// Sets output `o` element by element from input 0: `from` turns coordinates of the one into those
// of the other.
template <typename From>
void Take(const Scene& s, size_t o, const From& from) {
  for (int64_t i = 0; i < kernels::ElementCount(s.out_shapes[o]); ++i) {
    const Ints at = from(Coordinates(s.out_shapes[o], i));
    (*s.out[o])[Size(i)] = (*s.in[0])[Flat(s.in_shapes[0], at)];
  }
}

void RunTranspose(const Scene& s) {
  const Ints perm = s.node->attributes.Ints("perm", {});
  Take(s, 0, [&](const Ints& at) {
    Ints from(at.size());
    for (size_t i = 0; i < at.size(); ++i) from[Size(perm[i])] = at[i];
    return from;
  });
}

void RunSlice(const Scene& s) {
  const Ints starts = s.node->attributes.Ints("starts", {});
  const Ints axes = s.node->attributes.Ints("axes", {});
  const Ints steps = s.node->attributes.Ints("steps", {});
  Take(s, 0, [&](Ints at) {
    for (size_t i = 0; i < axes.size(); ++i) {
      at[Size(axes[i])] = starts[i] + at[Size(axes[i])] * steps[i];
    }
    return at;
  });
}

void RunSplit(const Scene& s) {
  const size_t axis = Size(s.node->attributes.Int("axis", 0));
  int64_t begin = 0;
  for (size_t o = 0; o < s.out.size(); ++o) {
    Take(s, o, [&](Ints at) {
      at[axis] += begin;
      return at;
    });
    begin += s.out_shapes[o][axis];
  }
}

void RunConcat(const Scene& s) {
  const size_t axis = Size(s.node->attributes.Int("axis", 0));
  int64_t begin = 0;
  for (size_t k = 0; k < s.in.size(); ++k) {
    for (int64_t i = 0; i < kernels::ElementCount(s.in_shapes[k]); ++i) {
      Ints at = Coordinates(s.in_shapes[k], i);
      at[axis] += begin;
      (*s.out[0])[Flat(s.out_shapes[0], at)] = (*s.in[k])[Size(i)];
    }
    begin += s.in_shapes[k][axis];
  }
}

void RunExpand(const Scene& s) {
  for (int64_t i = 0; i < kernels::ElementCount(s.out_shapes[0]); ++i) {
    (*s.out[0])[Size(i)] = (*s.in[0])[BroadcastIndex(s.in_shapes[0], s.out_shapes[0], i)];
  }
}

void RunTrilu(const Scene& s) {
  const bool upper = s.node->attributes.Int("upper", 1) != 0;
  const int64_t k = s.node->attributes.Int("k", 0);
  const Shape& shape = s.in_shapes[0];
  for (int64_t i = 0; i < kernels::ElementCount(shape); ++i) {
    const Ints at = Coordinates(shape, i);
    const int64_t right = at[at.size() - 1] - at[at.size() - 2];
    const bool kept = upper ? right >= k : right <= k;
    (*s.out[0])[Size(i)] = kept ? (*s.in[0])[Size(i)] : 0;
  }
}

// Index number `i`, counted from the front of a dimension of `size`.
int64_t Index(const Scene& s, size_t i, int64_t size) {
  const int64_t index = static_cast<int64_t>((*s.in[1])[i]);
  return index < 0 ? index + size : index;
}

void RunGather(const Scene& s) {
  const size_t axis = Size(s.node->attributes.Int("axis", 0));
  const size_t rank = s.in_shapes[1].size();
  Take(s, 0, [&](const Ints& at) {
    const auto middle = at.begin() + static_cast<int64_t>(axis);
    const auto after = middle + static_cast<int64_t>(rank);
    Ints from(at.begin(), middle);
    from.push_back(Index(s, Flat(s.in_shapes[1], Ints(middle, after)), s.in_shapes[0][axis]));
    from.insert(from.end(), after, at.end());
    return from;
  });
}

void RunGatherElements(const Scene& s) {
  const size_t axis = Size(s.node->attributes.Int("axis", 0));
  Take(s, 0, [&](Ints at) {
    at[axis] = Index(s, Flat(s.in_shapes[1], at), s.in_shapes[0][axis]);
    return at;
  });
}

void RunGatherND(const Scene& s) {
  const size_t batch = Size(s.node->attributes.Int("batch_dims", 0));
  const Shape& indices = s.in_shapes[1];
  Take(s, 0, [&](const Ints& at) {
    Ints tuple(at.begin(), at.begin() + static_cast<int64_t>(indices.size()) - 1);
    Ints from(at.begin(), at.begin() + static_cast<int64_t>(batch));
    tuple.push_back(0);
    for (int64_t m = 0; m < indices.back(); ++m) {
      tuple.back() = m;
      from.push_back(Index(s, Flat(indices, tuple), s.in_shapes[0][batch + Size(m)]));
    }
    from.insert(from.end(), at.begin() + static_cast<int64_t>(indices.size()) - 1, at.end());
    return from;
  });
}

constexpr DoubleOperator kOperators[] = {
    {"Concat", &RunConcat},
    {"Expand", &RunExpand},
    {"Gather", &RunGather},
    {"GatherElements", &RunGatherElements},
    {"GatherND", &RunGatherND},
    {"Slice", &RunSlice},
    {"Split", &RunSplit},
    {"Transpose", &RunTranspose},
    {"Trilu", &RunTrilu},
};

}  // namespace

DoubleOperators MovementDoubleOperators() { return kOperators; }

}  // namespace rm::graph
