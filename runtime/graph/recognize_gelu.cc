// Found from the function outwards: its argument tells what x is, and then the products around it
// are followed until they are x/2 · (1 + f).
//
//   a = Div(x, √2)   e = Erf(a)   s = Add(e, 1)   m = Mul(x, s)   y = Mul(m, 0.5)
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "runtime/graph/recognize_rules.h"
#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

// A product taken apart: its constant numbers multiplied, and the other factors.
struct Product {
  double number = 1;
  std::vector<ValueId> factors;
};

// The graph with what looking around in it needs.
class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), uses_(FindUses(graph)) {}

  // `value` as a product: Mul, Div by a number and Pow of a small whole number are taken apart,
  // down to the values of `whole`, which are factors by themselves.
  [[nodiscard]] Product ProductOf(ValueId value, const std::vector<ValueId>& whole) const;
  // The other operand of Add(number, other) or Add(other, number); kNoValue if `value` is none.
  [[nodiscard]] ValueId AddedTo(ValueId value, double number) const;
  // What the node that writes the value is; nullptr for a value that no node writes.
  [[nodiscard]] const Node* WriterOf(ValueId value) const {
    const int writer = uses_.writer_of(value);
    return writer == kNoNode ? nullptr : &graph_.nodes()[static_cast<size_t>(writer)];
  }
  // The node that is the value's only reader, or kNoNode.
  [[nodiscard]] int OnlyReader(ValueId value) const {
    const std::vector<int>& readers = uses_.readers_of(value);
    return readers.size() == 1 && !uses_.is_kept(value) ? readers[0] : kNoNode;
  }

 private:
  void TakeApart(ValueId value, const std::vector<ValueId>& whole, int depth,
                 Product* product) const;
  void TakePowerApart(const Node& power, const std::vector<ValueId>& whole, int depth,
                      Product* product) const;

  const Graph& graph_;
  const Uses uses_;
};

// Constants come from text or from float32; this is more than their rounding and less than any two
// forms differ by.
bool Near(double a, double b) { return std::abs(a - b) <= 1e-5 * std::abs(b); }

// Products of more steps than that are none of ours.
constexpr int kDepthMax = 6;

Product Finder::ProductOf(ValueId value, const std::vector<ValueId>& whole) const {
  Product product;
  TakeApart(value, whole, 0, &product);
  std::sort(product.factors.begin(), product.factors.end());
  return product;
}

void Finder::TakeApart(ValueId value, const std::vector<ValueId>& whole, int depth,
                       Product* product) const {
  const double number = static_cast<double>(NumberOf(graph_, value));
  const Node* writer = WriterOf(value);
  const bool stays = std::count(whole.begin(), whole.end(), value) > 0 || depth == kDepthMax;
  if (!std::isnan(number)) {
    product->number *= number;
  } else if (stays || writer == nullptr) {
    product->factors.push_back(value);
  } else if (writer->op == "Mul") {
    TakeApart(writer->inputs[0], whole, depth + 1, product);
    TakeApart(writer->inputs[1], whole, depth + 1, product);
  } else if (writer->op == "Div" && !std::isnan(NumberOf(graph_, writer->inputs[1]))) {
    product->number /= static_cast<double>(NumberOf(graph_, writer->inputs[1]));
    TakeApart(writer->inputs[0], whole, depth + 1, product);
  } else if (writer->op == "Pow") {
    TakePowerApart(*writer, whole, depth, product);
  } else {
    product->factors.push_back(value);
  }
}

void Finder::TakePowerApart(const Node& power, const std::vector<ValueId>& whole, int depth,
                            Product* product) const {
  const float exponent = NumberOf(graph_, power.inputs[1]);
  if (exponent != 2.0F && exponent != 3.0F) {
    product->factors.push_back(power.outputs[0]);
    return;
  }
  for (int i = 0; i < static_cast<int>(exponent); ++i) {
    TakeApart(power.inputs[0], whole, depth + 1, product);
  }
}

ValueId Finder::AddedTo(ValueId value, double number) const {
  const Node* add = WriterOf(value);
  if (add == nullptr || add->op != "Add") return kNoValue;
  for (size_t i : {size_t{0}, size_t{1}}) {
    if (Near(static_cast<double>(NumberOf(graph_, add->inputs[i])), number)) {
      return add->inputs[1 - i];
    }
  }
  return kNoValue;
}

// x of Erf(x / √2).
ValueId OperandOfErf(const Finder& finder, const Node& erf) {
  const Node* scaled = finder.WriterOf(erf.inputs[0]);
  if (scaled == nullptr || (scaled->op != "Mul" && scaled->op != "Div")) return kNoValue;
  for (ValueId x : scaled->inputs) {
    const Product product = finder.ProductOf(erf.inputs[0], {x});
    if (product.factors == std::vector<ValueId>{x} && Near(product.number, std::sqrt(0.5))) {
      return x;
    }
  }
  return kNoValue;
}

constexpr double kCubic = 0.044715;

// x of Tanh(√(2/π) · (x + 0.044715 · x³)), or of Tanh(√(2/π) · x · (1 + 0.044715 · x²)).
ValueId OperandOfTanh(const Finder& finder, const Node& tanh) {
  const double outer = std::sqrt(2 / std::acos(-1.0));
  const Product argument = finder.ProductOf(tanh.inputs[0], {});
  if (!Near(argument.number, outer)) return kNoValue;
  if (argument.factors.size() == 1) {
    const Node* sum = finder.WriterOf(argument.factors[0]);
    if (sum == nullptr || sum->op != "Add") return kNoValue;
    for (size_t i : {size_t{0}, size_t{1}}) {
      const ValueId x = sum->inputs[i];
      const Product cube = finder.ProductOf(sum->inputs[1 - i], {x});
      if (cube.factors == std::vector<ValueId>{x, x, x} && Near(cube.number, kCubic)) return x;
    }
    return kNoValue;
  }
  // Where x is a product itself it has been taken apart here, and is not found: the form with a sum
  // inside is what exporters write.
  if (argument.factors.size() != 2) return kNoValue;
  for (size_t i : {size_t{0}, size_t{1}}) {
    const ValueId x = argument.factors[i];
    const ValueId rest = finder.AddedTo(argument.factors[1 - i], 1);
    if (rest == kNoValue) continue;
    const Product square = finder.ProductOf(rest, {x});
    if (square.factors == std::vector<ValueId>{x, x} && Near(square.number, kCubic)) return x;
  }
  return kNoValue;
}

// The node whose result is x/2 · (1 + f), for the value f; kNoNode if there is none.
int FindRoot(const Graph& graph, const Finder& finder, ValueId f, ValueId x) {
  int node = finder.OnlyReader(f);
  if (node == kNoNode) return kNoNode;
  const ValueId sum = graph.nodes()[static_cast<size_t>(node)].outputs[0];
  if (finder.AddedTo(sum, 1) != f) return kNoNode;
  ValueId product = sum;
  std::vector<ValueId> wanted = {x, sum};
  std::sort(wanted.begin(), wanted.end());
  for (int step = 0; step < kDepthMax; ++step) {
    node = finder.OnlyReader(product);
    if (node == kNoNode) return kNoNode;
    product = graph.nodes()[static_cast<size_t>(node)].outputs[0];
    const Product found = finder.ProductOf(product, {x, sum});
    if (found.factors == wanted && Near(found.number, 0.5)) return node;
  }
  return kNoNode;
}

}  // namespace

// The root becomes the Gelu in place; what led to it has no reader left, but where somebody else
// reads it. What is read in between (by OnlyReader) was read by the pattern alone.
void RecognizeGelu(TypedGraph* typed) {
  Graph& graph = typed->graph;
  std::optional<Finder> found;  // of the graph as it is now: looking over all of it for each Tanh of a long network takes minutes
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (node.op != "Erf" && node.op != "Tanh") continue;
    const bool tanh = node.op == "Tanh";
    const Finder& finder = found.has_value() ? *found : found.emplace(graph);
    const ValueId x = tanh ? OperandOfTanh(finder, node) : OperandOfErf(finder, node);
    if (x == kNoValue) continue;
    const int root = FindRoot(graph, finder, node.outputs[0], x);
    if (root == kNoNode) continue;
    Node& gelu = graph.mutable_nodes()[static_cast<size_t>(root)];
    if (typed->type(gelu.outputs[0]).shape != typed->type(x).shape) continue;
    found.reset();
    gelu.op = "Gelu";
    gelu.inputs = {x};
    gelu.attributes = {};
    if (tanh) gelu.attributes.Set("approximate", std::string("tanh"));
  }
}

}  // namespace rm::graph
