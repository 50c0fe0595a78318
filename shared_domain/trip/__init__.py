"""The trip saga: hotel, flight, car rental and payment behind one travel agency."""
