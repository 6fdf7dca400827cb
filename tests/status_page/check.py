"""Looks at the status page in Chromium: `check.py URL FOLDER`.

Checks what the page promises and leaves screenshots in the folder. Needs Debian's packages
chromium, chromium-driver and python3-selenium.
"""

import json
import sys
import urllib.request
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

URL, FOLDER = sys.argv[1], Path(sys.argv[2])
WIDE, NARROW, NARROWEST = (1280, 900), (390, 844), (320, 640)


def browser():
    options = webdriver.ChromeOptions()
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options)


def fetched(path):
    with urllib.request.urlopen(URL + path) as answer:
        return answer.read().decode()


def size(driver, width, height):
    """The window's size, as a phone's where it is narrow."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def colours(driver, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def picture(driver, name):
    driver.save_screenshot(str(FOLDER / f"{name}.png"))


def visible_rows(driver):
    script = """return [...document.querySelectorAll('#services tbody tr')]
        .filter(row => row.checkVisibility())
        .map(row => [...row.cells].map(cell => cell.textContent))"""
    return driver.execute_script(script)


def filtered(driver, words, state):
    """The rows that are left, waited for no longer than the script takes: it is synchronous."""
    field = driver.find_element(By.ID, "words")
    field.clear()
    field.send_keys(words)
    Select(driver.find_element(By.ID, "state")).select_by_visible_text(state)
    rows = visible_rows(driver)
    said = driver.find_element(By.ID, "shown").text
    assert said.startswith(f"{len(rows)} of "), said
    return rows


def is_as_promised(driver, services):
    """All services, hostile names as text, and nothing that was not on the page."""
    rows = visible_rows(driver)
    assert len(rows) == len(services) > 1_000, (len(rows), len(services))
    shown = {row[0] for row in rows}
    assert '<script>alert(1)</script>/"><img src=x onerror=alert(2)>' in shown
    assert "O'Neil & Sons/{}</td></table>" in shown
    assert "חנות/שרת-דואר-ראשי" in shown
    assert any(len(name) > 500 for name in shown)
    assert not any("\u202e" in name or "\u2066" in name for name in shown)
    assert any(name.startswith("\\u{202e}gnp.moc/\\u{2066}a") for name in shown)
    tags = "return [...document.all].map(e => e.tagName).filter(t => /IMG|SCRIPT|IFRAME/.test(t))"
    assert driver.execute_script(tags) == ["SCRIPT"]
    by_state = {}
    for service in services:
        by_state.setdefault(service["state"], []).append(service)
    for state in ["published", "conflict", "quarantined", "skipped"]:
        assert by_state[state], state
        assert len(filtered(driver, "", state)) == len(by_state[state]), state
    for service, row in zip(by_state["conflict"], filtered(driver, "", "conflict")):
        assert row[2] == service["fqdn"] and row[4] == service["reason"], row
    filtered(driver, "", "all")


def filters(driver):
    found = filtered(driver, "everywhere", "all")
    assert [row[0] for row in found] == ["shop/everywhere"], found
    more = driver.find_element(By.CSS_SELECTOR, "#services tr:not([hidden]) summary")
    assert more.text == "12 more" and len(found[0][3].split()) == 20 + 2, found
    more.click()
    picture(driver, "addresses")
    assert filtered(driver, "no such thing", "all") == []
    assert filtered(driver, "everywherepublished", "all") == [], "a word is in one cell"
    assert len(filtered(driver, "SHOP-0000 web-00001", "conflict")) == 1, "words in any order"
    assert len(filtered(driver, "shop-0000", "conflict")) == 3
    picture(driver, "conflicts")
    driver.refresh()
    assert len(visible_rows(driver)) == 3, "a page loaded again shows the same"
    assert len(filtered(driver, "refuses", "quarantined")) == 1
    filtered(driver, "", "all")
    assert driver.current_url == URL


def sorts(driver):
    for column, name in enumerate(["Service", "State", "FQDN", "Addresses", "Reason"]):
        head = driver.find_elements(By.CSS_SELECTOR, "#services thead th")[column]
        assert head.text.startswith(name), head.text
        for how, keys in [("ascending", Keys.ENTER), ("descending", Keys.SPACE)]:
            head.find_element(By.TAG_NAME, "button").send_keys(keys)
            sorted_by = driver.find_elements(By.CSS_SELECTOR, "[aria-sort]")
            assert [(h.text, h.get_attribute("aria-sort")) for h in sorted_by] == [(head.text, how)]
            in_order = """
                const order = new Intl.Collator('en', {numeric: true});
                const texts = arguments[0], sign = arguments[1] === 'ascending' ? 1 : -1;
                return texts.every((t, i) => !i || sign * order.compare(texts[i - 1], t) <= 0)"""
            texts = [row[column] for row in visible_rows(driver)]
            assert driver.execute_script(in_order, texts, how), (name, how)
    driver.refresh()


def contrast(driver):
    """Text against what is behind it: 4.5 to 1 at least (WCAG 2.2, 1.4.3)."""
    script = """
        const part = v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 };
        const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
            return .2126 * part(r) + .7152 * part(g) + .0722 * part(b) };
        const behind = e => { const c = getComputedStyle(e).backgroundColor;
            return c === 'rgba(0, 0, 0, 0)' ? behind(e.parentElement) : c };
        return [...document.querySelectorAll('h1,h1 small,dt,dd,li,caption,th button,th,td,a,.age')]
            .map(e => { const a = light(getComputedStyle(e).color), b = light(behind(e));
                return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.className || e.tagName] })
            .sort((a, b) => a[0] - b[0])[0]"""
    least, where = driver.execute_script(script)
    assert least >= 4.5, (least, where)


def looks_well(driver):
    for scheme, (width, height) in [
        ("light", WIDE),
        ("dark", WIDE),
        ("light", NARROW),
        ("dark", NARROW),
        ("light", NARROWEST),
    ]:
        colours(driver, scheme)
        size(driver, width, height)
        back = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(n) for n in back.strip("rgb()").split(","))
        assert (brightness < 384) == (scheme == "dark"), (scheme, back)
        contrast(driver)
        widest = driver.execute_script("return document.documentElement.scrollWidth")
        assert widest <= width, f"{widest} px wide on a screen of {width}"
        at = f"{scheme}-{width}"
        driver.execute_script("scrollTo(0, 0)")
        picture(driver, f"{at}-top")
        for place in ["#services tbody tr:nth-child(2)", "main > table:last-of-type"]:
            element = driver.find_element(By.CSS_SELECTOR, place)
            driver.execute_script("arguments[0].scrollIntoView()", element)
            picture(driver, f"{at}-{'services' if 'services' in place else 'changes'}")
        can_be_heard(driver)
    colours(driver, "light")
    size(driver, *WIDE)


def can_be_heard(driver):
    """What a screen reader is told, also where the table doesn't look like one."""
    nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    heard = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]
    roles = [role for role, _ in heard]
    for role, count in [("table", 3), ("caption", 3), ("row", 1_000), ("rowheader", 1_000)]:
        assert roles.count(role) >= count, (role, roles.count(role))
    heads = [name for role, name in heard if role == "columnheader"]
    for name in ["State", "Since", "Service", "FQDN", "When"]:
        assert name in heads, (name, heads)
    for named in [("searchbox", "Filter"), ("combobox", "State"), ("button", "FQDN")]:
        assert named in heard, named
    assert ("heading", "Services") in heard
    tables = [name for role, name in heard if role == "table"]
    assert any("services: " in name for name in tables), tables


def needs_no_script(driver, services):
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    driver.get(URL)
    root = driver.execute_cdp_cmd("DOM.getDocument", {})["root"]["nodeId"]
    selector = {"nodeId": root, "selector": "#services tbody tr"}
    rows = driver.execute_cdp_cmd("DOM.querySelectorAll", selector)["nodeIds"]
    assert len(rows) == len(services)
    picture(driver, "no-script")
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    driver.get(URL)


def kept_to_itself(driver):
    entries = driver.get_log("browser")
    assert entries == [], entries
    asked = set()
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"].split("#")[0])
    assert asked <= {URL, "data:,"}, asked


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    services = json.loads(fetched(".json"))["services"]
    driver = browser()
    try:
        size(driver, *WIDE)
        driver.get(URL)
        WebDriverWait(driver, 30).until(lambda d: d.find_element(By.ID, "tools").is_displayed())
        is_as_promised(driver, services)
        filters(driver)
        sorts(driver)
        looks_well(driver)
        needs_no_script(driver, services)
        kept_to_itself(driver)
        timing = "return performance.getEntriesByType('navigation')[0].domComplete"
        print(f"{len(services)} services, {len(fetched('')) // 1000} kB, "
              f"there after {driver.execute_script(timing):.0f} ms")
    finally:
        driver.quit()


main()
