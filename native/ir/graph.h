// The graph of a function: nodes in static single assignment form, with nested blocks for control flow. Built by
// script/, rewritten by passes/, and compiled to instructions by interpreter/.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/source.h"
#include "ops/registry.h"
#include "ops/type.h"
#include "ops/value.h"

namespace threadwheel::ir {

enum class NodeKind : std::uint8_t {
  kConstant,       // constant
  kOp,             // op; inputs are all arguments of its schema, in order
  kIf,             // inputs: condition; blocks: then, otherwise; outputs: their results
  kLoop,           // inputs: trip count, condition, carried...; block: parameters (index, carried...), results
                   // (condition, carried...); outputs: carried
  kGetAttribute,   // inputs: object; index: its slot; name
  kSetAttribute,   // inputs: object, value; index; name
  kCall,           // function; inputs: its arguments
  kCallMethod,     // name; inputs: object, arguments; which function is known by the object's class only
  kTuple,          // inputs: elements
  kList,           // inputs: elements
  kDict,           // inputs: key, value, key, value, ...
  kUnpack,         // inputs: a tuple or list; outputs: its elements
  kTupleIndex,     // inputs: a tuple; index
  kCreateObject,   // the output's type says of which class
  kIsInstance,     // inputs: value; types
  kCast,           // inputs: value; the same value with the output's type
  kUninitialized,  // a value that is never looked at
  kEnumName,       // inputs: enum
  kEnumValue,      // inputs: enum
  kFork,           // function; inputs: its arguments; output: a future
  kWait,           // inputs: a future
  kRaise,          // inputs: message; name: the Python exception type
};

struct Node;
struct Block;
class Function;

// One value of the graph: a block's parameter or a node's output.
struct Variable {
  TypePtr type;
  std::string name;      // of the source, "" for none; unique only with the number that print adds
  Node* node = nullptr;  // null: a parameter of `block`
  Block* block = nullptr;
};

struct Block {
  explicit Block(Node* owner = nullptr) : owner(owner) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  Variable* add_parameter(TypePtr type, std::string name);
  Node* append(NodeKind kind);

  Node* owner;  // null: a graph's top block
  std::vector<std::unique_ptr<Variable>> parameters;
  std::list<std::unique_ptr<Node>> nodes;
  std::vector<Variable*> results;
};

struct Node {
  Node(NodeKind node_kind, Block* owner) : kind(node_kind), block(owner) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Variable* add_output(TypePtr type, std::string name = {});
  Block* add_block();
  Variable* output(std::size_t i = 0) const { return outputs[i].get(); }

  NodeKind kind;
  Block* block;
  const Op* op = nullptr;
  std::vector<Variable*> inputs;
  std::vector<std::unique_ptr<Variable>> outputs;
  std::vector<std::unique_ptr<Block>> blocks;
  Value constant;
  bool settled = false;  // of a constant: nothing that it refers to is ever written
  std::string name;
  std::int64_t index = 0;
  std::vector<TypePtr> types;
  std::shared_ptr<Function> function;
  Range range;
};

struct Graph {
  std::string name;
  Block top;

  // Text for people: one line per node, blocks indented.
  std::string to_string() const;
};

struct Parameter {
  std::string name;
  TypePtr type;
  std::optional<Value> default_value;
};

// A function or method: its signature now, its graph when somebody needs it.
class Function final : public Method {
 public:
  using Compile = std::function<std::unique_ptr<Graph>(Function&)>;

  // Functions whose compilation needs each other's graphs share a mutex: two threads may begin at either end.
  Function(std::string name, std::vector<Parameter> parameters, TypePtr result, Compile compile,
           std::shared_ptr<std::recursive_mutex> mutex = std::make_shared<std::recursive_mutex>())
      : name_(std::move(name)),
        parameters_(std::move(parameters)),
        result_(std::move(result)),
        compile_(std::move(compile)),
        mutex_(std::move(mutex)) {}

  const std::string& name() const noexcept { return name_; }
  const std::vector<Parameter>& parameters() const noexcept { return parameters_; }
  const TypePtr& result() const noexcept { return result_; }

  // Compiles at the first call; throws the program's errors at every call. Threads may call at once.
  const Graph& graph();

  // What an execution engine keeps with the function. The pointer is set last: with it, no call takes the mutex.
  std::shared_ptr<const void> code;
  std::atomic<const void*> ready_code{nullptr};
  std::mutex code_mutex;

 private:
  std::string name_;
  std::vector<Parameter> parameters_;
  TypePtr result_;
  Compile compile_;
  std::shared_ptr<std::recursive_mutex> mutex_;
  bool compiling_ = false;
  std::unique_ptr<Graph> graph_;
  std::atomic<const Graph*> ready_{nullptr};  // graph_, for those who come later
};

}  // namespace threadwheel::ir
