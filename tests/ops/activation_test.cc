#include "ops/activation.h"

#include <gtest/gtest.h>
