// Einsum, as transposes, reshapes and products of matrices.
//
//   "btd,dhe->bhte" of X and W: batch letters none, kept of X bt, summed d, kept of W he:
//   X (b·t, d) · W (d, h·e) → (b, t, h, e) → transposed to (b, h, t, e)
//
// Batch letters are in both operands and in the result: one product for each of their indices.
//
//   "bik,bjk->bij":  b is of the batch, k is summed, i and j are rows and columns
//   "i,j->ij":       nothing is summed: the inner dimension of the product is 1
//   "abc->ca":       one operand: b is summed, and what is left is transposed
//
// Several operands are multiplied from left to right. A letter that no later operand and no result
// has is summed as soon as it can be.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::Misfit;

using Ints = std::vector<int64_t>;

// A value whose dimensions have letters.
struct Term {
  ValueId value;
  std::string letters;
};

// Letters are few: strings are sets here, in the order of the dimensions.
bool Contains(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

// The letters of `all` for which `in` says yes.
template <typename Predicate>
std::string Filter(const std::string& all, const Predicate& in) {
  std::string kept;
  std::copy_if(all.begin(), all.end(), std::back_inserter(kept), in);
  return kept;
}

// Makes one term of two, or a smaller one of one. Every step is a node of its own; those that change
// nothing leave none.
class Contraction {
 public:
  explicit Contraction(BindContext* context) : context_(context) {}

  // Learns the sizes of a term's letters.
  absl::Status Admit(const Term& term) {
    const Ints shape = context_->shape(term.value);
    if (shape.size() != term.letters.size()) {
      return Misfit("attribute equation has '", term.letters, "' for ",
                    context_->type(term.value).ToString());
    }
    for (size_t i = 0; i < shape.size(); ++i) {
      const char letter = term.letters[i];
      if (std::count(term.letters.begin(), term.letters.end(), letter) > 1) {
        return Misfit("attribute equation repeats a letter in '", term.letters,
                      "'; diagonals are not known");
      }
      const auto [known, added] = sizes_.emplace(letter, shape[i]);
      if (!added && known->second != shape[i]) {
        return Misfit("'", std::string(1, letter), "' of the equation is ", known->second, " and ",
                      shape[i]);
      }
    }
    return absl::OkStatus();
  }

  // Sums away every letter that is not in `needed`.
  absl::StatusOr<Term> SumTo(const Term& term, const std::string& needed) const {
    Ints axes;
    for (size_t i = 0; i < term.letters.size(); ++i) {
      if (!Contains(needed, term.letters[i])) axes.push_back(static_cast<int64_t>(i));
    }
    if (axes.empty()) return term;
    RM_ASSIGN_OR_RETURN(const ValueId sum,
                        context_->Append("ReduceSum", {term.value},
                                         {{"axes", axes}, {"keepdims", int64_t{0}}}, "/sum"));
    return Term{sum, Filter(term.letters, [&](char c) { return Contains(needed, c); })};
  }

  // The dimensions in the order of `letters`.
  absl::StatusOr<ValueId> Ordered(const Term& term, const std::string& letters) const {
    if (term.letters == letters) return term.value;
    Ints perm;
    for (const char letter : letters) {
      perm.push_back(static_cast<int64_t>(term.letters.find(letter)));
    }
    return context_->Append("Transpose", {term.value}, {{"perm", perm}}, "/ordered");
  }

  // The product of two terms, summed over the letters that both have and `needed` has not.
  absl::StatusOr<Term> Multiply(const Term& left, const Term& right,
                                const std::string& needed) const {
    RM_ASSIGN_OR_RETURN(const Term a, SumTo(left, needed + right.letters));
    RM_ASSIGN_OR_RETURN(const Term b, SumTo(right, needed + left.letters));
    // What only one of them has and nobody needs later is summed before the product, not by it: the
    // product would be larger by that dimension.
    const auto of_both = [&](char c) { return Contains(b.letters, c); };
    const std::string shared = Filter(a.letters, of_both);
    const std::string batch = Filter(shared, [&](char c) { return Contains(needed, c); });
    const std::string summed = Filter(shared, [&](char c) { return !Contains(needed, c); });
    const std::string rows = Filter(a.letters, [&](char c) { return !Contains(shared, c); });
    const std::string columns = Filter(b.letters, [&](char c) { return !Contains(shared, c); });
    RM_ASSIGN_OR_RETURN(const ValueId first, Matrix(a, batch, rows, summed));
    RM_ASSIGN_OR_RETURN(const ValueId second, Matrix(b, batch, summed, columns));
    RM_ASSIGN_OR_RETURN(const ValueId product,
                        context_->Append("MatMul", {first, second}, {}, "/product"));
    const std::string letters = batch + rows + columns;
    RM_ASSIGN_OR_RETURN(const ValueId apart,
                        context_->Reshaped(product, Sizes(letters), "/apart"));
    return Term{apart, letters};
  }

 private:
  // The dimensions that letters stand for, and their product. An empty string is one element.
  [[nodiscard]] Ints Sizes(const std::string& letters) const {
    Ints sizes;
    for (const char letter : letters) sizes.push_back(sizes_.at(letter));
    return sizes;
  }
  [[nodiscard]] int64_t Size(const std::string& letters) const {
    int64_t size = 1;
    for (const char letter : letters) size *= sizes_.at(letter);
    return size;
  }

  // The term as matrices of `rows` by `columns`, one for each index of `batch`.
  absl::StatusOr<ValueId> Matrix(const Term& term, const std::string& batch,
                                 const std::string& rows, const std::string& columns) const {
    RM_ASSIGN_OR_RETURN(const ValueId ordered, Ordered(term, batch + rows + columns));
    Ints shape = Sizes(batch);
    shape.insert(shape.end(), {Size(rows), Size(columns)});
    return context_->Reshaped(ordered, shape, "/matrix");
  }

  BindContext* const context_;
  std::map<char, int64_t> sizes_;
};

// "..." as letters of its own: the last ones of these for an operand of fewer dimensions. A model's
// letters are those of the alphabet.
constexpr absl::string_view kEllipsis = "01234567";

// Each side may have "..." once, in front of, between or behind letters; `hidden` dimensions take its
// place.
absl::StatusOr<std::string> WithoutEllipsis(const std::string& letters, size_t hidden) {
  const size_t at = letters.find("...");
  const std::string front = letters.substr(0, at);
  const std::string back = at == std::string::npos ? "" : letters.substr(at + 3);
  for (const char letter : front + back) {
    if (!absl::ascii_isalpha(static_cast<unsigned char>(letter))) {
      return Misfit("attribute equation has '", letters, "'; letters and one '...' are known");
    }
  }
  if (at == std::string::npos) return letters;
  return absl::StrCat(front, kEllipsis.substr(kEllipsis.size() - hidden), back);
}

// How many dimensions "..." stands for in an operand's letters.
absl::StatusOr<size_t> HiddenDimensions(const std::string& letters, size_t rank) {
  if (!Contains(letters, '.')) return size_t{0};
  if (rank + 3 < letters.size() || rank + 3 - letters.size() > kEllipsis.size()) {
    return Misfit("attribute equation has '", letters, "' for ", rank, " dimensions");
  }
  return rank + 3 - letters.size();
}

// The letters of the result where the equation does not say: those that occur once, in their order.
std::string ImplicitResult(const std::vector<Term>& terms) {
  std::map<char, int> counts;
  for (const Term& term : terms) {
    for (const char letter : term.letters) ++counts[letter];
  }
  std::string result;
  for (const auto& [letter, count] : counts) {
    if (count == 1 || Contains(std::string(kEllipsis), letter)) result += letter;
  }
  return result;
}

// The operands by the equation's left side, and the letters of the result.
absl::StatusOr<std::pair<std::vector<Term>, std::string>> Parse(BindContext* context) {
  const std::string equation = absl::StrReplaceAll(
      context->node().attributes.String("equation", ""), {{" ", ""}});
  const std::vector<std::string> sides = absl::StrSplit(equation, absl::string_view("->"));
  const std::vector<std::string> names = absl::StrSplit(sides[0], ',');
  const std::vector<ValueId> operands = context->inputs();
  if (sides.size() > 2 || names.size() != operands.size()) {
    return Misfit("attribute equation is '", equation, "' for ", operands.size(), " operands");
  }
  std::vector<Term> terms;
  size_t hidden = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    RM_ASSIGN_OR_RETURN(const size_t own,
                        HiddenDimensions(names[i], context->shape(operands[i]).size()));
    RM_ASSIGN_OR_RETURN(std::string letters, WithoutEllipsis(names[i], own));
    hidden = std::max(hidden, own);
    terms.push_back({operands[i], std::move(letters)});
  }
  if (sides.size() == 1) return std::make_pair(terms, ImplicitResult(terms));
  RM_ASSIGN_OR_RETURN(std::string result, WithoutEllipsis(sides[1], hidden));
  return std::make_pair(terms, std::move(result));
}

// Each letter of the result once, and from an operand.
absl::Status CheckResult(const std::vector<Term>& terms, const std::string& result) {
  for (const char letter : result) {
    const bool known = std::any_of(terms.begin(), terms.end(), [&](const Term& term) {
      return Contains(term.letters, letter);
    });
    if (!known || std::count(result.begin(), result.end(), letter) > 1) {
      return Misfit("attribute equation has no one '", std::string(1, letter),
                    "' for its result");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BindEinsum(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(std::max<size_t>(context->node().inputs.size(), 1)));
  // Letters are checked before anything is appended: an equation that is wrong leaves no nodes.
  RM_ASSIGN_OR_RETURN(const auto parsed, Parse(context));
  const auto& [terms, result] = parsed;
  RM_RETURN_IF_ERROR(CheckResult(terms, result));
  Contraction contraction(context);
  for (const Term& term : terms) RM_RETURN_IF_ERROR(contraction.Admit(term));
  Term product = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) {
    // What later operands share with these two has to be kept for them.
    std::string needed = result;
    for (size_t later = i + 1; later < terms.size(); ++later) needed += terms[later].letters;
    RM_ASSIGN_OR_RETURN(product, contraction.Multiply(product, terms[i], needed));
  }
  RM_ASSIGN_OR_RETURN(product, contraction.SumTo(product, result));
  RM_ASSIGN_OR_RETURN(const ValueId output, contraction.Ordered(product, result));
  context->SetOutput(0, output);
  return absl::OkStatus();
}

}  // namespace rm::graph
